"""What of a conversation becomes memories: what it marks, a compaction's summary, the last message of the session."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from cognitive_memory.core.memory import MemoryType, NewMemory, Origin
from heimdall.hooks.marks import MOST_TYPED, marks, without_private
from heimdall.hooks.telling import SAID_BY, USER
from heimdall.hooks.turns import Speaker, Turn
from heimdall.models.secrets import redact_message

LONGEST_SUMMARY = 8_000
LONGEST_ENDING = 2_000
"""How many characters of a compaction's summary, and of a session's last message, are kept."""
SHORTEST_ENDING = 80
"""A shorter last message, as "Done.", tells nothing."""

CAPTURE = "capture"
"""The member of a captured memory's metadata that tells which capture brought it: the moment, in UTC."""

_AROUND_A_SUMMARY = re.compile(
    r"\A\s*This session is being continued from a previous conversation.*?\n\n"
    r"|\A\s*Another language model started to solve this problem.*?your own analysis:\s*"
    r"|<(system-reminder|analysis)>.*?</\1>\s*|</?summary>|^Summary:$"
    r"|\n\nIf you need specific details from before compaction.*\Z",
    re.DOTALL | re.MULTILINE,
)
"""What Claude Code and Codex write around it: the hook and the transcript tell the same summary, in other words of these."""
_HIDDEN = re.compile(r"\[redacted[^\]]*\]")
_IDS = UUID("f3c0a1de-6f1b-5f0e-9a55-3c3b8d1a6e20")  # any constant would do


@dataclass(frozen=True, slots=True)
class Conversation:
    """What is known of a conversation.

    Attributes:
        host: the assistant's name.
        session: the conversation's id.
    """

    host: str
    session: str


def captured(
    said: Iterable[Turn], conversation: Conversation, *, capture: str
) -> Iterator[NewMemory]:
    """The memories in what was said, each with an id that follows from what it says; a repetition has the same.

    Args:
        said: in its order.
        conversation: where.
        capture: which capture it is.
    """
    for turn in said:
        text = without_private(turn.text)
        if turn.speaker is Speaker.SUMMARY:
            text = _AROUND_A_SUMMARY.sub("", text).strip()
            if summary := _clean(_cut(text, LONGEST_SUMMARY)):
                yield _memory(summary, ("summary",), turn, conversation, capture)
            continue
        typed = turn.speaker is Speaker.USER and len(turn.text) <= MOST_TYPED
        for mark in marks(text, by_user=turn.speaker is Speaker.USER):
            if kept := _clean(mark.text):
                by = USER if typed else str(Speaker.ASSISTANT)
                yield _memory(kept, mark.tags, turn, conversation, capture, said_by=by)


def ending(
    message: str, at: datetime | None, conversation: Conversation, *, capture: str
) -> NewMemory | None:
    """A session's last message as a memory, which takes the place of an earlier one of the session. None: it tells nothing."""
    text = _clean(_cut(without_private(message), LONGEST_ENDING))
    if len(text) < SHORTEST_ENDING:
        return None
    turn = Turn(Speaker.ASSISTANT, text, at)
    return _memory(
        text, ("session_end",), turn, conversation, capture, memory_id=ending_id(conversation)
    )


def ending_id(conversation: Conversation) -> str:
    """The id of the memory of a session's last message."""
    return str(uuid5(_IDS, f"ending/{conversation.host}/{conversation.session}"))


def _memory(
    text: str,
    tags: tuple[str, ...],
    turn: Turn,
    conversation: Conversation,
    capture: str,
    *,
    said_by: str = str(Speaker.ASSISTANT),
    memory_id: str = "",
) -> NewMemory:
    metadata: dict[str, Any] = {
        SAID_BY: said_by,
        "client": conversation.host,
        "session": conversation.session[:200],
        CAPTURE: capture,
    }
    return NewMemory(
        # Whose words they are is part of what is said: a stranger's repetition is none of the user's.
        id=memory_id
        or str(uuid5(_IDS, f"{said_by}/{' '.join(text.casefold().split()).rstrip('.!')}")),
        text=text,
        type=MemoryType.EPISODE if tags[0] in {"summary", "session_end"} else MemoryType.CONTEXT,
        tags=tags,
        origin=Origin.CAPTURED,
        created_at=turn.at,
        metadata=metadata,
    )


def _clean(text: str) -> str:
    """A text without secrets; empty if there was little else."""
    shown = redact_message(text).strip()
    return shown if len(_HIDDEN.sub("", shown)) * 2 > len(shown) else ""


def _cut(text: str, most: int) -> str:
    text = text.strip()
    if len(text) <= most:
        return text
    head = text[:most]
    end = max(head.rfind("\n"), head.rfind(". "))
    return f"{head[: end + 1].rstrip() if end > most // 2 else head} …"
