"""What users and assistants said, in the lines of a transcript; each assistant writes them in a form of its own.

All write a line of JSON for each event. What is no such line, or of a kind that is not known, says nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


class Speaker(StrEnum):
    """Who said something."""

    USER = "user"
    ASSISTANT = "assistant"
    SUMMARY = "summary"
    """The assistant's program, of a conversation that it compacted."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What somebody said.

    Attributes:
        speaker: who.
        text: what; not blank.
        at: when; None if the transcript does not say.
    """

    speaker: Speaker
    text: str
    at: datetime | None


def turns(line: bytes, host: str) -> Iterator[Turn]:
    """What a line of a transcript holds.

    Args:
        line: one line.
        host: the assistant that wrote it; an unknown one's says nothing.
    """
    event = _object(line)
    read = _READERS.get(host)
    if event is None or read is None:
        return
    for speaker, content, at in read(event):
        text = _text(content).encode(errors="replace").decode()
        if text.strip() and not _is_made_by_program(text):
            yield Turn(speaker, text, _moment(at))


def folder(line: bytes, host: str) -> str:
    """The folder that a line says the conversation is about; empty if it does not say."""
    event = _object(line)
    if event is None:
        return ""
    inner = event.get("payload" if host == "codex" else "data")
    places = [event, *_objects(inner)]
    places += [each for place in places for each in _objects(place.get("context"))]
    return next((place["cwd"] for place in places if isinstance(place.get("cwd"), str)), "")


_Said = Iterator[tuple[Speaker, object, object]]


def _claude(event: Mapping[str, Any]) -> _Said:
    # What its helpers were told, and what its program added, was said by nobody here.
    if event.get("isSidechain") or event.get("isMeta"):
        return
    message = event.get("message")
    if not isinstance(message, dict):
        return
    at = event.get("timestamp")
    if event.get("isCompactSummary"):
        yield Speaker.SUMMARY, message.get("content"), at
    elif event.get("type") == "user" and event.get("provenance", "real_user") == "real_user":
        yield Speaker.USER, message.get("content", message.get("parts")), at
    elif event.get("type") == "assistant" or message.get("role") == "assistant":
        yield Speaker.ASSISTANT, message.get("content", message.get("parts")), at


def _codex(event: Mapping[str, Any]) -> _Said:
    payload = event.get("payload")
    if not isinstance(payload, dict):
        return
    at, kind = event.get("timestamp"), payload.get("type")
    if event.get("type") == "compacted":
        yield Speaker.SUMMARY, payload.get("message"), at
    elif event.get("type") != "event_msg":
        return
    elif kind == "user_message":
        yield Speaker.USER, payload.get("message"), at
    elif kind == "agent_message":
        yield Speaker.ASSISTANT, payload.get("message"), at
    elif kind == "item_completed":
        for item in _objects(payload.get("item")):
            speakers = {"UserMessage": Speaker.USER, "AgentMessage": Speaker.ASSISTANT}
            if speaker := speakers.get(str(item.get("type"))):
                yield speaker, item.get("content"), at


def _gemini(event: Mapping[str, Any]) -> _Said:
    speakers = {"user": Speaker.USER, "gemini": Speaker.ASSISTANT}
    if speaker := speakers.get(str(event.get("type"))):
        yield speaker, event.get("content"), event.get("timestamp")


def _copilot(event: Mapping[str, Any]) -> _Said:
    kinds = {
        "user.message": (Speaker.USER, "content"),
        "assistant.message": (Speaker.ASSISTANT, "content"),
        "session.compaction_complete": (Speaker.SUMMARY, "summaryContent"),
    }
    if kind := kinds.get(str(event.get("type"))):
        speaker, member = kind
        for data in _objects(event.get("data")):
            yield speaker, data.get(member), event.get("timestamp")


_READERS: Mapping[str, Callable[[Mapping[str, Any]], _Said]] = {
    "claude-code": _claude,
    "qwen-code": _claude,  # the same members, and parts as Gemini has them
    "codex": _codex,
    "gemini": _gemini,
    "copilot-cli": _copilot,
}


def _object(line: bytes) -> Mapping[str, Any] | None:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


def _objects(value: object) -> list[dict[str, Any]]:
    return [value] if isinstance(value, dict) else []


def _text(content: object) -> str:
    """The text of a message: itself, or of its parts those that are text: no tool's results, no thoughts, no images."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    texts = [
        part["text"]
        for part in content
        if isinstance(part, dict)
        and isinstance(part.get("text"), str)
        and str(part.get("type", "text")).lower() in {"text", "input_text", "output_text"}
        and not part.get("thought")
    ]
    return "\n\n".join(texts)


def _is_made_by_program(text: str) -> bool:
    """Whether a program wrote it in the user's name: in a tag, as commands, their output and reminders are."""
    start = text.lstrip()[:40]
    return (
        start.startswith("<") and start[1:2].isalpha() and not start.lower().startswith("<private>")
    )


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value))
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None
