"""The transcripts that assistants keep on disk, and what of them becomes memories."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cognitive_memory.project.real_path import expanded, real_path
from heimdall.hooks.capture import Conversation
from heimdall.hooks.keeping import Heard, keep
from heimdall.hooks.transcript_file import read_on
from heimdall.hooks.turns import folder

if TYPE_CHECKING:
    from cognitive_memory.project.find import Project

_FIRST_BYTES = 500_000
"""In how much of a transcript its folder is looked for."""


@dataclass(slots=True)
class TranscriptsReport:
    """What became of the transcripts of a project.

    Attributes:
        dry_run: whether nothing was changed.
        transcripts: how many there are.
        clients: how many of each assistant.
        memories: ids of the memories that are new or changed.
    """

    dry_run: bool
    transcripts: int = 0
    clients: dict[str, int] = field(default_factory=dict)
    memories: list[str] = field(default_factory=list)


def load_transcripts(
    project: Project, *, dry_run: bool = False, progress: Callable[[int, int], None] | None = None
) -> TranscriptsReport:
    """Keep what the project's conversations mark, each read on from where it was read to. All of it is one capture.

    Args:
        project: whose conversations, and whose memory.
        dry_run: only count them.
        progress: told how many of how many transcripts are done.

    Raises:
        HeimdallError, OSError: the memory can't be used.
    """
    report = TranscriptsReport(dry_run)
    capture = datetime.now(UTC).isoformat()
    found = list(transcripts(project))
    report.transcripts = len(found)
    for number, heard in enumerate(found):
        host = heard.conversation.host
        report.clients[host] = report.clients.get(host, 0) + 1
        more = not dry_run
        while more:
            kept = keep(project, heard, capture=capture)
            report.memories += kept.ids
            more = kept.more
        if progress:
            progress(number + 1, len(found))
    report.memories = [*dict.fromkeys(report.memories)]
    return report


def transcripts(project: Project) -> Iterator[Heard]:
    """The conversations about a project that are on this machine, oldest first of each assistant."""
    for host, files in _FILES.items():
        for path in sorted(files(), key=_written):
            if _is_about(path, host, project):
                yield Heard(Conversation(host, _session(path, host)), path, ended=True)


def _claude() -> Iterator[Path]:
    home = os.environ.get("CLAUDE_CONFIG_DIR")
    yield from (Path(home) if home else expanded("~/.claude")).glob("projects/*/*.jsonl")


def _codex() -> Iterator[Path]:
    home = os.environ.get("CODEX_HOME")
    folder = Path(home) if home else expanded("~/.codex")
    yield from folder.glob("sessions/*/*/*/rollout-*.jsonl")
    yield from folder.glob("archived_sessions/rollout-*.jsonl")


def _gemini() -> Iterator[Path]:
    yield from expanded("~/.gemini/tmp").glob("*/chats/session-*.jsonl")


def _qwen() -> Iterator[Path]:
    yield from expanded("~/.qwen/projects").glob("*/chats/*.jsonl")


def _copilot() -> Iterator[Path]:
    yield from expanded("~/.copilot/session-state").glob("*/events.jsonl")


_FILES: dict[str, Callable[[], Iterator[Path]]] = {
    "claude-code": _claude,
    "codex": _codex,
    "gemini": _gemini,
    "qwen-code": _qwen,
    "copilot-cli": _copilot,
}


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _session(path: Path, host: str) -> str:
    """The id by which the host's hooks call the conversation."""
    if host == "copilot-cli":
        return path.parent.name
    if host == "codex":
        return path.stem[len("rollout-2026-11-27T10-55-54-") :]
    if host == "gemini":
        return _first_member(path, "sessionId") or path.stem
    return path.stem


def _is_about(path: Path, host: str, project: Project) -> bool:
    """Whether a conversation was held in the project's folder or below it."""
    if host == "gemini":
        try:  # each of its folders says whose it is
            said = (path.parent.parent / ".project_root").read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return False
        return bool(said) and _is_in(said, project)
    try:
        lines = read_on(path, 0, _FIRST_BYTES).lines
    except OSError:
        return False
    said = next((found for line in lines if (found := folder(line, host))), "")
    return bool(said) and _is_in(said, project)


def _is_in(said: str, project: Project) -> bool:
    """Whether a folder, which may be gone, belongs to the project and to none within it."""
    from cognitive_memory.project.find import find_project
    from heimdall.errors import HeimdallError

    place, root = real_path(said), real_path(project.root)
    if place != root and root not in place.parents:
        return False
    try:
        return find_project(place).root == root if place.is_dir() else True
    except HeimdallError:
        return False


def _first_member(path: Path, name: str) -> str:
    try:
        first = json.loads(read_on(path, 0, _FIRST_BYTES).lines[0])
    except (OSError, ValueError, IndexError, RecursionError):
        return ""
    value = first.get(name) if isinstance(first, dict) else None
    return value if isinstance(value, str) else ""
