"""The vector engine for large memories, where one is configured."""

from __future__ import annotations

from collections.abc import Iterator

from heimdall.cognitive_system.health.finding import Finding, Request, not_checked


def check(_request: Request) -> Iterator[Finding]:
    """Qdrant is optional."""
    yield not_checked("qdrant", "", "not configured, and not needed")
