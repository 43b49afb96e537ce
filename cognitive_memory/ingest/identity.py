"""Ids that follow from the content, so that loading the same again changes nothing."""

from __future__ import annotations

from collections import Counter
from uuid import UUID, uuid5

NAMESPACE = UUID("96d85c23-f1ea-5c11-9b3e-a74c23f0d098")
"""The UUIDv5 of "https://github.com/lcbcFoo/heimdall-mcp-server#ingest" in the namespace of URLs. Never change it: every loaded memory would be replaced by another."""


class Identities:
    """Gives the pieces of one source their ids.

    An id is a UUIDv5 (RFC 9562) of source, headings, text and, for equal pieces, which of them it is. So a piece keeps it
    while others are added, changed or moved around it, and on every machine and in every project.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._seen: Counter[tuple[str, str]] = Counter()

    def of(self, context: str, text: str) -> str:
        """The id of the source's next piece."""
        # Equal pieces, as a changelog's "Fixed a bug", are told apart by their order alone.
        ordinal = self._seen[context, text]
        self._seen[context, text] += 1
        return str(uuid5(NAMESPACE, "\x00".join((self._source, context, text, str(ordinal)))))
