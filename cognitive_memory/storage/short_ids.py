"""Ids that were cut to their beginning, as people type them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from cognitive_memory.core.values import MemoryValueError, as_id, shown
from cognitive_memory.storage.errors import AmbiguousIdError, UnknownMemoryError
from cognitive_memory.storage.store import MemoryStore

SHORT = 8
"""So many characters of an id are shown, and are the fewest that name a memory."""
_BEGINNING = re.compile("[0-9a-f]{8}[0-9a-f-]*")


def short_id(memory_id: str) -> str:
    """The beginning of an id that `whole_ids` takes."""
    return memory_id[:SHORT]


def whole_ids(stores: Iterable[MemoryStore], given: Iterable[str]) -> list[str]:
    """The ids of memories that are named by their ids or by the beginnings of them, each once, in their order.

    Args:
        stores: where the memories are.
        given: ids, or their first eight characters or more.

    Raises:
        MemoryValueError: one is neither an id nor the beginning of one.
        UnknownMemoryError: naming all that there are no memories for.
        AmbiguousIdError: several memories have ids that begin so.
    """
    names = [_as_beginning(each) for each in given]
    found: dict[str, dict[str, None]] = {name: {} for name in names}
    for store in stores:
        with store.reading() as reader:
            for name in names:
                found[name] |= dict.fromkeys(reader.ids_that_begin(name))
    if unknown := tuple(name for name, ids in found.items() if not ids):
        raise UnknownMemoryError(unknown)
    for name, ids in found.items():
        if len(ids) > 1:
            raise AmbiguousIdError(name, tuple(ids))
    return list(dict.fromkeys(one for ids in found.values() for one in ids))


def _as_beginning(given: str) -> str:
    """An id in its one form, or its beginning in lower case."""
    try:
        return as_id(given)
    except MemoryValueError:
        name = given.strip().lower()
        if _BEGINNING.fullmatch(name):
            return name
        expected = f"expected a UUID, or its first {SHORT} characters or more"
        raise MemoryValueError("id", f"{expected}, got {shown(given)}") from None
