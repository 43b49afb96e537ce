"""The vector engine for large memories, where one is configured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from heimdall.doctor.finding import Finding, Request, failed, not_checked, passed, warned
from heimdall.errors import HeimdallError

if TYPE_CHECKING:
    from cognitive_memory.qdrant.settings import QdrantSettings

_SECONDS = 5
"""What an answer may take. Whoever examines a machine waits for it."""


def check(request: Request) -> Iterator[Finding]:
    """Where it is, whether a key would travel in the clear, and with `online` whether it answers."""
    from cognitive_memory.qdrant.settings import qdrant_settings

    try:
        settings = qdrant_settings()
    except HeimdallError as error:
        yield failed(
            "qdrant",
            "",
            str(error),
            "correct it, or unset it: without Qdrant this machine searches itself",
        )
        return
    if settings is None:
        yield not_checked("qdrant", "", "not configured, and not needed")
        return
    if problem := settings.key_in_the_clear():
        yield warned("qdrant_key", settings.place, problem)
    if request.online:
        yield from map(_ask, settings.nodes)
    else:
        yield not_checked(
            "qdrant", settings.place, "it was not asked", "'heimdall doctor --online' asks it"
        )


def _ask(settings: QdrantSettings) -> Finding:
    from contextlib import closing
    from dataclasses import replace

    from cognitive_memory.qdrant.index import COLLECTIONS
    from cognitive_memory.qdrant.node import Node

    try:
        with closing(Node(replace(settings, request_seconds=_SECONDS))) as node:
            number = len(node.answer(COLLECTIONS))
    except HeimdallError as error:
        advice = "recall goes on with what is on this machine; 'heimdall qdrant status' tells more"
        return failed("qdrant", settings.place, str(error), advice)
    return passed("qdrant", settings.place, f"answers; it has {number} collections")
