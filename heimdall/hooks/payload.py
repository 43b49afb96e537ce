"""What a host tells a hook, whichever host it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from heimdall.hooks.hosts import EVENT_NAMES, HOSTS, Event, Host


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What is known of a moment in a conversation.

    Attributes:
        host: the assistant.
        event: the moment.
        name: what the host calls the event; empty if it does not say.
        session: the conversation's id; empty if the host tells none.
        folder: where the host works, absolute.
        transcript: the file of the conversation; None if the host tells none.
        prompt: what the user sent.
        message: the assistant's last message.
        summary: what a compaction has left of the conversation.
        source: why a session starts: "startup", "resume", "clear", "compact" and the like.
    """

    host: Host
    event: Event
    name: str
    session: str
    folder: Path
    transcript: Path | None
    prompt: str
    message: str
    summary: str
    source: str


class UnknownPayloadError(ValueError):
    """It is none that a hook of ours is written for; the text says why."""


def read(
    content: bytes, event: Event, variables: Mapping[str, str], *, client: str = ""
) -> Payload:
    """Read what a host wrote.

    Args:
        content: a JSON object.
        event: the event for which the hook was configured.
        variables: the environment.
        client: who it is; default: told by the payload, else by the variables.

    Raises:
        UnknownPayloadError: it is no such object, or belongs to another event or to no known host.
    """
    try:
        told = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UnknownPayloadError(f"it is no JSON: {error}") from None
    if not isinstance(told, dict):
        raise UnknownPayloadError(f"it is a {type(told).__name__}, no object")
    name = _text(told, "hook_event_name", "hookEventName", "hookName")
    if name and name not in EVENT_NAMES[event]:
        raise UnknownPayloadError(f"it is of the event {name!r}")
    session = _text(told, "session_id", "sessionId", "conversation_id", "taskId")
    folder = _text(told, "cwd") or _first(told.get("workspace_roots") or told.get("workspaceRoots"))
    # Kiro tells no session.
    if not folder or not (session or client):
        raise UnknownPayloadError("it names no session or no folder")
    if not Path(folder).is_absolute():
        raise UnknownPayloadError("its folder is not absolute")
    host = HOSTS.get(client) if client else told_by_payload(told) or _told_by_variables(variables)
    if host is None:
        raise UnknownPayloadError(f"no host is called {client!r}")
    transcript = _text(told, "transcript_path", "transcriptPath")
    inner = told.get("userPromptSubmit")  # Cline's
    return Payload(
        host=host,
        event=event,
        name=name,
        session=session,
        folder=Path(folder),
        transcript=Path(transcript) if transcript and Path(transcript).is_absolute() else None,
        prompt=_text(inner if isinstance(inner, dict) else told, "prompt", "initialPrompt"),
        message=_text(told, "last_assistant_message", "prompt_response"),
        summary=_text(told, "compact_summary"),
        source=_text(told, "source"),
    )


def told_by_payload(told: Mapping[str, Any]) -> Host | None:
    """The host that writes such payloads; None if several do.

    It is asked before the variables, which a host inherits from another one that started it.
    """
    if "cursor_version" in told or "conversation_id" in told:
        return HOSTS["cursor"]
    if "sessionId" in told:
        return HOSTS["copilot-cli"]
    parts = _parts(_text(told, "transcript_path"))
    if "turn_id" in told or (parts and parts[-1].startswith("rollout-")):
        return HOSTS["codex"]
    for folder, name in _FOLDERS.items():
        if folder in parts:
            return HOSTS[name]
    if _text(told, "hook_event_name") in {"BeforeAgent", "AfterAgent"}:
        return HOSTS["gemini"]
    # Of a conversation that it does not keep, it says so.
    return HOSTS["codex"] if told.get("transcript_path", "") is None else None


_FOLDERS = {
    ".copilot": "copilot-cli",
    ".qwen": "qwen-code",
    ".gemini": "gemini",
    ".codex": "codex",
    ".claude": "claude-code",
}
"""The folder in which each keeps its transcripts."""


def _told_by_variables(variables: Mapping[str, str]) -> Host:
    """The host whose variable is set; whoever sets none runs hooks as Claude Code does."""
    # Claude Code's last: it is inherited most, and is what is taken without any.
    for host in (*(HOSTS[name] for name in _FOLDERS.values()), HOSTS["claude-code"]):
        if host.variable and variables.get(host.variable):
            return host
    return HOSTS["claude-code"]


def _parts(path: str) -> tuple[str, ...]:
    return (PureWindowsPath if "\\" in path else PurePosixPath)(path).parts


def _first(values: object) -> str:
    return values[0] if isinstance(values, list) and values and isinstance(values[0], str) else ""


def _text(told: Mapping[str, Any], *names: str) -> str:
    """The first of the members that is a text, without what UTF-8 can't carry; empty if there is none."""
    found = next((told[name] for name in names if isinstance(told.get(name), str)), "")
    return found.encode(errors="replace").decode() if found else ""
