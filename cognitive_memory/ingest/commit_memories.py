"""Memories of commits: what was meant, and the files that were changed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from uuid import uuid5

from cognitive_memory.core.memory import MemoryType, NewMemory, Origin
from cognitive_memory.core.values import Json
from cognitive_memory.ingest.blocks import Block, pack
from cognitive_memory.ingest.commits import ChangedFile, Commit
from cognitive_memory.ingest.documents import NAMESPACE, Document
from cognitive_memory.ingest.plain_text import paragraphs
from cognitive_memory.ingest.splitting import SOLID_BOUND, estimate_tokens
from heimdall.models.secrets import redact_document

_FILES_SHOWN = 20
_TRAILER = re.compile(
    r"(?:signed-off-by|reviewed-by|acked-by|tested-by|change-id|co-authored-by|cc): .*",
    re.IGNORECASE,
)
_REST = 8  # tokens of "and N more files"
_STATUS = {"A": "added", "C": "copied", "D": "removed", "R": "renamed"}


def memories_of(
    commit: Commit, source: str, *, tags: tuple[str, ...] = (), whole: bool = True
) -> Document:
    """Make memories of a commit: one, or several if its message is long.

    Args:
        commit: the commit.
        source: the repository, as its memories name it.
        tags: for each memory.
        whole: False for a commit whose parents this clone does not have: what it changed is not known.
    """
    # Before the message is cut: a secret could lie across the cut.
    message, redacted = redact_document(commit.message)
    told = "\n".join(
        line for line in message.split("\n") if not _TRAILER.fullmatch(line.strip())
    ).strip()
    blocks = (Block("".join(lines), number) for lines, number in paragraphs(told))
    parts = [piece.text for piece in pack(blocks)] or ["(no message)"]
    # The files come last, in the room that is left: what was meant matters more than where.
    room = SOLID_BOUND - estimate_tokens(parts[-1])
    files = _files_in_words(commit.files, room, commit.more_files) if whole else ""
    texts = [*parts[:-1], f"{parts[-1]}\n\n{files}" if files else parts[-1]]
    day = commit.when.date().isoformat()
    author = " ".join(commit.author.split())[:80]
    subject = message.split("\n", 1)[0].strip()[:80]
    context = f"Commit {commit.sha[:10]} by {author or 'nobody'} on {day}"
    metadata: dict[str, Json] = {
        "kind": "commit",
        "commit": commit.sha,
        "author": author,
        "files": [file.path for file in commit.files[:_FILES_SHOWN]] if whole else [],
    }
    if not whole:
        # It is read again once its parents are there.
        metadata["shallow"] = True
    memories = tuple(
        NewMemory(
            text=text,
            type=MemoryType.EPISODE,
            tags=tags,
            source=source,
            origin=Origin.COMMIT,
            context=f"{context}: {subject}" if number else context,
            created_at=commit.when,
            metadata=metadata
            if len(texts) == 1
            else {**metadata, "part": number + 1, "parts": len(texts)},
            id=commit_id(commit.sha, number),
        )
        for number, text in enumerate(texts)
    )
    return Document(memories, redacted=redacted)


def commit_id(sha: str, part: int) -> str:
    """The id of a part of a commit's message, from 0: the same for that commit in every clone."""
    return str(uuid5(NAMESPACE, f"commit\x00{sha}\x00{part}"))


def _files_in_words(files: Sequence[ChangedFile], room: int, more: int) -> str:
    """What a commit changed, the most changed files first; of a binary file there is nothing to tell."""
    told = sorted(
        (file for file in files if not file.binary), key=lambda file: -sum(file.lines or (0, 0))
    )
    lines: list[str] = []
    for file in told[:_FILES_SHOWN]:
        line = _in_words(file)
        room -= estimate_tokens(line)
        if room < _REST:
            break
        lines.append(line)
    if left := len(told) - len(lines) + more:
        lines.append(f"and {left} more files")
    return "\n".join(lines)


def _in_words(file: ChangedFile) -> str:
    words = f"{_STATUS.get(file.status, 'changed')} {file.before + ' to ' if file.before else ''}{file.path}"
    return (
        f"{words} (+{file.lines[0]} -{file.lines[1]})" if file.lines and any(file.lines) else words
    )
