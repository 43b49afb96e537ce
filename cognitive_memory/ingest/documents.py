"""One file's content to memories."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import PurePosixPath
from uuid import UUID, uuid5

from cognitive_memory.core.memory import MemoryType, NewMemory, Origin
from cognitive_memory.core.values import Json
from cognitive_memory.ingest.blocks import Piece, pack
from cognitive_memory.ingest.decoding import decode
from cognitive_memory.ingest.errors import TooSlowError, UnreadableError
from cognitive_memory.ingest.front_matter import FrontMatter
from cognitive_memory.ingest.languages import Kind, kind_of
from cognitive_memory.ingest.office import TooMuchError, can_read, text_of
from cognitive_memory.ingest.processor_time import processor_time
from cognitive_memory.ingest.readers import read
from heimdall.models.secrets import redact_document

VERSION = 4
"""Of what is made here from the same bytes. Raised when that changes: loaded files are then loaded again."""

NAMESPACE = UUID("96d85c23-f1ea-5c11-9b3e-a74c23f0d098")
"""Of the ids of all that is loaded; the UUIDv5 of
"https://github.com/lcbcFoo/heimdall-mcp-server#ingest" in the namespace of URLs. Never change it:
every loaded memory would be replaced by another."""

SEPARATOR = " > "
"""Between the headings in a memory's context."""
_TITLE_LENGTH = 80
_PLACE_LENGTH = 160
_FOLDERS_OUTSIDE = 3
"""Last parts of an absolute path: what is before them says where this machine keeps it."""
_DATE_WITHIN = 1000
"""Characters of a title in which a date is looked for: each piece below a title looks."""
_LEAST_SECONDS = 1.0
_SECONDS_PER_BYTE = 30e-6
"""Of processor time for a file's reader: several times what the slowest ordinary files take."""
_EXTRA = "heimdall-mcp[documents]"
_BINARY = frozenset({Kind.DOCX, Kind.PDF})
_PLACELESS = frozenset({Kind.NOTEBOOK, *_BINARY})
"""Kinds whose text is not what an editor shows: its lines tell nothing."""
_DESIGN = re.compile(
    r"(?:^|[\W_])(?:design|architecture|adrs?|rfcs?|decisions?|specs?|specification|proposals?)(?:[\W_]|$)",
    re.IGNORECASE,
)
_DIARY = re.compile(
    r"changelog|changes|history|news|releases?|release[-_ ]notes|journal|diary|log", re.IGNORECASE
)
_EXAMPLES = re.compile(
    r"(?:^|/)(?:docs?|documentation|tests?|testing|testdata|specs?|__tests__|fixtures?|examples?|samples?|demos?)/"
    r"|(?:^|/)(?:test_[^/]*|conftest\.py|[^/]*[._-](?:tests?|specs?|example|sample)\.[^/]*)\Z",
    re.IGNORECASE,
)
_DATE = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")


@dataclass(frozen=True, slots=True)
class Document:
    """What a file or a commit gave.

    Attributes:
        memories: with the ids, in its order.
        notes: what its reader should know, in sentences.
        redacted: how many secrets were replaced.
        is_example: whether these stand where examples do: in documentation and tests.
    """

    memories: tuple[NewMemory, ...]
    notes: tuple[str, ...] = ()
    redacted: int = 0
    is_example: bool = False


def read_document(
    source: str, content: bytes, *, tags: Sequence[str] = (), written: datetime | None = None
) -> Document | None:
    """Cut a file into memories.

    Markdown, text, docstrings and comments, by the file's name; any other name is read as plain text, and so is what its own
    reader fails at or takes too long for.

    Args:
        source: the file's path as its memories shall show it, with "/" between folders.
        content: its bytes.
        tags: for each memory, besides those of the file's front matter.
        written: when it was changed last: the time of its memories, but for those of a dated entry.

    Returns:
        None if it is no text.

    Raises:
        UnreadableError: as plain text it can't be read either.
    """
    kind = kind_of(source) or Kind.TEXT
    if not can_read(kind):
        raise UnreadableError(source, f"it needs an extra: pip install '{_EXTRA}'")
    seconds = _LEAST_SECONDS + len(content) * _SECONDS_PER_BYTE
    try:
        with processor_time(seconds):
            return _document(source, kind, content, tags, written)
    except Exception as error:  # noqa: BLE001 (whatever a parser has not foreseen)
        problem = _in_words(error)
    if kind in {Kind.TEXT, *_BINARY}:
        raise UnreadableError(source, problem)
    try:
        with processor_time(seconds):
            document = _document(source, Kind.TEXT, content, tags, written)
    except Exception as error:
        raise UnreadableError(source, _in_words(error)) from error
    if document is None:
        return None
    note = f"{source} could not be read as {kind} ({problem}): it was loaded as plain text"
    return replace(document, notes=(note, *document.notes))


def _in_words(error: Exception) -> str:
    return str(error) if isinstance(error, (TooSlowError, TooMuchError)) else type(error).__name__


def _document(
    source: str, kind: Kind, content: bytes, tags: Sequence[str], written: datetime | None
) -> Document | None:
    text = text_of(kind, content) if kind in _BINARY else None
    decoded = decode(content) if text is None else (text, None)
    if decoded is None:
        return None
    text, problem = decoded
    notes = [f"{source} {problem}"] if problem else []
    # Before the text is cut: a secret could lie across the cut. Its line count stays, so lines are told right.
    text, redacted = redact_document(text)
    is_example = _EXAMPLES.search(source) is not None
    # There are dozens in a repository's tests: whoever loads tells them together, so that one that matters is seen.
    if redacted and not is_example:
        notes.append(
            f"{source}: {redacted} {'secret was' if redacted == 1 else 'secrets were'} left out"
        )
    blocks, front = read(kind, source, text)
    pieces = [piece for piece in pack(blocks) if _says_something(piece.text)]
    made = _Maker(source, kind, front, tags, _first_title(kind, pieces))
    memories = (made.memory(piece) for piece in pieces)
    timed = (
        memory if memory.created_at else replace(memory, created_at=written) for memory in memories
    )
    return Document(tuple(timed), tuple(notes), redacted, is_example)


def _first_title(kind: Kind, pieces: Sequence[Piece]) -> str | None:
    """The heading that a document begins with; source code has none."""
    if kind in {Kind.PYTHON, Kind.CODE} or not pieces or pieces[0].path:
        return None
    return next(iter(pieces[0].titles), None)


class _Maker:
    """Makes the memories of one file."""

    def __init__(
        self, source: str, kind: Kind, front: FrontMatter, tags: Sequence[str], first: str | None
    ) -> None:
        self._seen: Counter[tuple[str, str]] = Counter()
        self._source, self._kind = source, kind
        self._front_title, self._title = front.title, front.title or first
        self._tags = (*tags, *front.tags)
        path = PurePosixPath(source)
        self._place = _place(path)
        self._design = any(_DESIGN.search(part) for part in (*path.parts[:-1], path.stem))
        self._diary = _DIARY.fullmatch(path.stem) is not None

    def memory(self, piece: Piece) -> NewMemory:
        # The path is what people ask for, and tells files of one name apart; the title tells what
        # all pieces of a document are about.
        named = self._title in (*piece.path[:1], *(() if piece.path else piece.titles[:1]))
        title = () if named or self._title is None else (self._title,)
        context = _joined((*title, *piece.path))
        metadata: dict[str, Json] = {"kind": str(self._kind)}
        if self._kind not in _PLACELESS:
            metadata["lines"] = [piece.first_line, piece.last_line]
        # The nearest place counts: an entry's own date before that of the year's chapter or of the file.
        day = _day((*piece.titles, *reversed(piece.path), self._source))
        return NewMemory(
            text=piece.text,
            type=self._type(piece, day),
            tags=self._tags,
            source=self._source,
            origin=Origin.DOCUMENT,
            context=SEPARATOR.join(filter(None, (self._place, context))),
            created_at=day,
            metadata=metadata,
            id=self._id(_joined((*self._above(piece), *piece.path)), piece.text),
        )

    def _id(self, headings: str, text: str) -> str:
        """The id of the file's next piece: a UUIDv5 (RFC 9562) of source, headings and text.

        So a piece keeps it while others are added, changed or moved around it, on every machine and
        in every project.
        """
        # Equal pieces, as a changelog's "Fixed a bug", are told apart by their order alone.
        ordinal = self._seen[headings, text]
        self._seen[headings, text] += 1
        return str(uuid5(NAMESPACE, "\x00".join((self._source, headings, text, str(ordinal)))))

    def _above(self, piece: Piece) -> tuple[str, ...]:
        """What ids have before the headings: the title of the file's head, or its name; nothing for other Markdown."""
        # Never change it: a pin that was put on a piece would be lost.
        if self._kind is Kind.MARKDOWN and (
            piece.path or (piece.titles and self._front_title is None)
        ):
            return ()
        return (self._front_title or PurePosixPath(self._source).name,)

    def _type(self, piece: Piece, day: datetime | None) -> MemoryType:
        # Decisions and code explain the project itself; a dated entry tells what happened.
        if self._design or self._kind in {Kind.PYTHON, Kind.CODE}:
            return MemoryType.CONTEXT
        if day is not None or (self._diary and len(piece.path) + len(piece.titles) > 1):
            return MemoryType.EPISODE
        depth = len(piece.path) + bool(piece.titles)
        return MemoryType.CONCEPT if depth <= 1 else MemoryType.CONTEXT


def _joined(titles: Iterable[str]) -> str:
    return SEPARATOR.join(title[:_TITLE_LENGTH] for title in titles if title)


def _place(path: PurePosixPath) -> str:
    """The path from the project's root; of what is elsewhere, or very deep, its end."""
    parts = path.parts[-_FOLDERS_OUTSIDE:] if path.is_absolute() else path.parts
    return "/".join(parts)[-_PLACE_LENGTH:]


def _says_something(text: str) -> bool:
    """Whether there is a character that can be seen: the model finds nothing in blanks, controls and lone accents."""
    return any(unicodedata.category(character)[0] in "LNPS" for character in text)


def _day(texts: Iterable[str]) -> datetime | None:
    """The first date in the ISO form in one of the texts, at noon in UTC: of a changelog's or diary's entry."""
    for text in texts:
        for match in _DATE.finditer(text, 0, _DATE_WITHIN):
            try:  # 2025-02-30 looks like a date
                day = date(*map(int, match.groups()))
            except ValueError:
                continue
            return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return None
