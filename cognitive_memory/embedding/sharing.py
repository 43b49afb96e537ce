"""Taking over the vectors that other projects on this machine have of the same texts.

Two clones or worktrees of a repository have nearly all in common. The other databases are asked,
and no cache is kept: what was deleted there is gone for all.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from threading import Event

from cognitive_memory.core.batches import batched
from cognitive_memory.storage.shared_vectors import Find, shared_vectors
from cognitive_memory.storage.store import MemoryStore
from cognitive_memory.storage.token_codes import write_tokens
from heimdall.errors import HeimdallError

FEWEST = 256
"""How many memories have to wait for it to be worth a look: embedding these takes some seconds."""

MOST_ASKED = 32
"""How many databases are asked, the last used ones."""

_SAMPLE = 256
"""Of so many memories one at least must be in another database for it to be asked for all."""

_BLOCK = 2048
"""How many vectors are written in one transaction."""

_log = logging.getLogger(__name__)

Databases = Callable[[], Iterable[Path]]
"""Tells the databases of other projects, the last used one first."""


def take_over(
    store: MemoryStore, dimension: int, databases: Databases, stop: Event, *, replace: bool
) -> int:
    """Give memories the vectors that other databases have of the same texts, in the same embedding space.

    Args:
        store: whose memories.
        dimension: how many numbers a vector has.
        databases: where to look; one that can't be read is passed over.
        stop: set by somebody else to end soon.
        replace: as for `VectorReader.pending_keys`.

    Returns:
        How many memories were given a vector.
    """
    space, taken = store.embedding_space(), 0
    if space is None:
        return 0
    with store.reading() as reader:
        waiting = reader.vectors.pending_keys(replace=replace)
    if len(waiting) < FEWEST:
        return 0
    for database in islice(databases(), MOST_ASKED):
        if stop.is_set() or len(waiting) < FEWEST:
            break
        try:
            with shared_vectors(database, space, dimension) as find:
                found = _take_over(store, dimension, find, waiting, stop)
        except (HeimdallError, OSError) as error:
            _log.info("the vectors in %s were not looked at: %s", database, error)
            continue
        if found:
            taken += len(found)
            waiting = [key for key in waiting if key not in found]
            _log.info("%d vectors were taken over from %s", len(found), database)
    return taken


def _take_over(
    store: MemoryStore, dimension: int, find: Find, waiting: Sequence[int], stop: Event
) -> set[int]:
    """The keys of the memories that were given a vector."""
    sample = waiting[:: max(1, len(waiting) // _SAMPLE)]
    with store.reading() as reader:
        if not find(reader.vectors.pending(keys=sample)):
            return set()
    taken: set[int] = set()
    for keys in batched(waiting, _BLOCK):
        if stop.is_set():
            break
        with store.reading() as reader:
            found = find(reader.vectors.pending(keys=keys))
        if found:
            with store.writing(durable=False) as writer:
                writer.write_vectors(found, dimension)
                write_tokens(writer, found)
            taken |= {each.key for each in found}
    return taken
