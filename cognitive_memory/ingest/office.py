"""Word and PDF documents to text, by python-docx and pypdf: the extra `documents`.

Both are bounded: what a file unpacks to is asked of its directory before it is unpacked, and pages are counted. The time is
bounded by whoever calls.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from importlib.util import find_spec
from io import BytesIO
from zipfile import ZipFile

from cognitive_memory.ingest.decoding import plain
from cognitive_memory.ingest.languages import Kind

_LIBRARIES = {Kind.DOCX: "docx", Kind.PDF: "pypdf"}
_LARGEST = 20_000_000
"""Bytes that a file may unpack to, and characters of text that are taken."""
_MOST_PARTS = 10_000
_MOST_PAGES = 2_000


class TooMuchError(ValueError):
    """A document unpacks to more than is read."""


def can_read(kind: Kind) -> bool:
    """Whether the library that a kind needs, if any, is installed."""
    return kind not in _LIBRARIES or find_spec(_LIBRARIES[kind]) is not None


def text_of(kind: Kind, content: bytes) -> str | None:
    """The text of a document, as Markdown; None: its kind is text already.

    Raises:
        TooMuchError: it is too large.
        Exception: whatever the library raises of a broken file.
    """
    if kind is Kind.DOCX:
        parts = _word(content)
    elif kind is Kind.PDF:
        parts = _pages(content)
    else:
        return None
    taken: list[str] = []
    size = 0
    for part in parts:
        size += len(part)
        if size > _LARGEST:
            raise TooMuchError(f"it has more than {_LARGEST:,} characters")
        taken.append(part)
    # Fonts map to anything: lone surrogates and NULs are no text.
    return plain("\n\n".join(taken).encode(errors="replace").decode())


def _word(content: bytes) -> Iterator[str]:
    from docx import Document
    from docx.table import Table

    with ZipFile(BytesIO(content)) as archive:
        members = archive.infolist()
    # No member gives more than its directory says.
    if len(members) > _MOST_PARTS or sum(member.file_size for member in members) > _LARGEST:
        raise TooMuchError(f"it unpacks to more than {_LARGEST:,} bytes")
    for part in Document(BytesIO(content)).iter_inner_content():
        if isinstance(part, Table):
            rows = (
                " | ".join(" ".join(cell.text.split()) for cell in row.cells) for row in part.rows
            )
            yield "\n".join(rows)
        elif part.text.strip():
            style = (part.style.name if part.style else None) or ""
            level = style.removeprefix("Heading ")
            is_heading = style == "Title" or (level != style and level.isdecimal())
            mark = "#" * (min(int(level), 6) if level.isdecimal() else 1)
            yield f"{mark} {' '.join(part.text.split())}" if is_heading else part.text


def _pages(content: bytes) -> Iterator[str]:
    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it tells every oddity
    reader = PdfReader(BytesIO(content))
    if len(reader.pages) > _MOST_PAGES:
        raise TooMuchError(f"it has more than {_MOST_PAGES:,} pages")
    for page in reader.pages:
        yield page.extract_text()
