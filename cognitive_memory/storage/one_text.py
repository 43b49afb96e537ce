"""What is stored by hand is one memory for each text, whatever its case and blanks."""

from __future__ import annotations

from cognitive_memory.core.memory import Memory, NewMemory, Origin, plain_text
from cognitive_memory.storage.reading import Reader


def already_said(reader: Reader, memory: NewMemory) -> Memory | None:
    """The oldest of the memories that were stored by hand and say what another one says that is.

    It goes from text to text: no index knows what differs in case and blanks alone, and what was stored by hand is
    little.
    """
    if memory.origin is not Origin.STORED:
        return None
    wanted = plain_text(memory.text)
    same = [key for key, text in reader.stored_texts().items() if plain_text(text) == wanted]
    return reader.memories(same[-1:])[same[-1]] if same else None


def together(said: Memory, again: NewMemory) -> NewMemory:
    """A memory with the details of one that says the same: nothing that it has is lost."""
    return NewMemory(
        id=said.id,
        text=said.text,
        type=said.type,
        tags=tuple(dict.fromkeys([*said.tags, *again.tags])),
        source=said.source if said.source is not None else again.source,
        context=said.context or again.context,
        importance=max(said.importance, again.importance),
        pinned=said.pinned or again.pinned,
        metadata={**again.metadata, **said.metadata},
        created_at=said.created_at,
        origin=said.origin,
    )
