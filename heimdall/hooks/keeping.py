"""Storing what a conversation brings: once, however often and by how many it is read, and whatever is killed when."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from cognitive_memory.core.memory import NewMemory, Scope, content_hash
from cognitive_memory.core.values import Json
from heimdall.hooks.capture import Conversation, captured, ending
from heimdall.hooks.transcript_file import Part, read_on
from heimdall.hooks.turns import Speaker, Turn, turns

if TYPE_CHECKING:
    from cognitive_memory.project.find import Project
    from cognitive_memory.storage.store import MemoryStore
    from cognitive_memory.storage.writing import Writer

_KIND = "transcript"


@dataclass(slots=True)
class Heard:
    """What a moment of a conversation has.

    Attributes:
        conversation: which.
        transcript: its file; None if there is none.
        turns: what the assistant's program told itself.
        ended: whether the last message may be the session's.
    """

    conversation: Conversation
    transcript: Path | None = None
    turns: Sequence[Turn] = ()
    ended: bool = False


@dataclass(slots=True)
class Kept:
    """What became of it.

    Attributes:
        ids: of the memories that are new or changed.
        more: whether a part of the transcript is left.
    """

    ids: list[str] = field(default_factory=list)
    more: bool = False


def keep(project: Project, heard: Heard, *, capture: str = "") -> Kept:
    """Store what was said since the last time, with where that ends, in one transaction.

    A project that has no memory gets one when there is something to store.

    Args:
        project: whose memory.
        heard: what was said.
        capture: which capture it belongs to; default: a new one.

    Raises:
        HeimdallError, OSError: the memory can't be used.
    """
    capture = capture or datetime.now(UTC).isoformat()
    store, begin = store_of(project), 0
    if store is None:
        memories, part = _new(heard, begin, capture)
        while not memories:
            if part is None or not part.more:
                return Kept()
            begin = part.end
            memories, part = _new(heard, begin, capture)
        from cognitive_memory.opening import open_memory

        open_memory(project).close()
        store = store_of(project)
        assert store is not None  # noqa: S101 (it was just made)
    try:
        return _keep(store, heard, capture, begin)
    finally:
        store.close()


def store_of(project: Project) -> MemoryStore | None:
    """A project's database alone: no settings, no model, no numpy. None if there is none yet."""
    from cognitive_memory.storage.store import MemoryStore

    if not os.path.lexists(project.database):
        return None
    return MemoryStore(project.database, embedding_space=lambda: None, scope=Scope(project.scope))


def source_of(conversation: Conversation) -> str:
    """The name under which it is known how far a conversation was read."""
    return f"{_KIND}:{conversation.host}/{conversation.session}"


def _keep(store: MemoryStore, heard: Heard, capture: str, begin: int) -> Kept:
    source = source_of(heard.conversation)
    with store.reading() as reader:
        before = reader.load_state(source)
    known = before or {"offset": begin}
    offset = known.get("offset")
    # Read and understood before the lock is taken.
    memories, part = _new(heard, offset if isinstance(offset, int) else 0, capture)
    state: dict[str, Json] = {**known, "kind": _KIND}
    if part is not None:
        state["offset"] = part.end
    last = next((one for one in memories if one.tags == ("session_end",)), None)
    digest = sha256(last.text.encode()).hexdigest() if last else ""
    if last and known.get("ending") == digest:  # also if the user has taken it back
        memories.remove(last)
    elif last:
        state["ending"] = digest
    if state == known or (not memories and not part):
        return Kept(more=bool(part and part.more))
    with store.writing(durable=bool(memories)) as writer:
        if writer.load_state(source) != before:
            return Kept()  # somebody else has read this part meanwhile
        ids = [memory.id for memory in memories if _is_new(writer, memory)]
        stored = writer.put(memory for memory in memories if memory.id in ids)
        writer.set_load_states({source: state})
    return Kept([one.id for one in stored if one.change != "unchanged"], bool(part and part.more))


def _new(heard: Heard, offset: int, capture: str) -> tuple[list[NewMemory], Part | None]:
    """What is to be stored, and the part of the transcript in which it was."""
    part = None
    said = list(heard.turns)
    conversation = heard.conversation
    if heard.transcript is not None:
        try:
            part = read_on(heard.transcript, offset)
        except OSError:  # it is written later, elsewhere, or never
            part = None
        else:
            said = [turn for line in part.lines for turn in turns(line, conversation.host)] + said
    memories = list(captured(_distinct(said), conversation, capture=capture))
    if heard.ended and not (part and part.more):
        last = next((turn for turn in reversed(said) if turn.speaker is Speaker.ASSISTANT), None)
        end = last and ending(last.text, last.at, conversation, capture=capture)
        if end:
            memories.append(end)
    return memories, part


def _distinct(said: Iterable[Turn]) -> list[Turn]:
    """Each text once: what the program tells at its end is in its transcript as well."""
    return [*{(turn.speaker, turn.text.strip()): turn for turn in reversed(list(said))}.values()][
        ::-1
    ]


def _is_new(writer: Writer, memory: NewMemory) -> bool:
    """Whether a memory says what none says yet; what a user has pinned is not replaced."""
    assert memory.id is not None  # noqa: S101 (all that are captured have one)
    known = writer.known([memory.id])
    if memory.tags == ("session_end",) and known:
        return not known[0].pinned and known[0].text != memory.text
    return not known and not writer.says(content_hash(memory.text, memory.context))
