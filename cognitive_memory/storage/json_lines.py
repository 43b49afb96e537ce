"""Memories as lines of JSON, for other machines, other releases and other programs.

The first line is a header, `{"format": "heimdall-memories", "version": 1, "memories": <count>}`; each further line is one
memory. A file without a header is read too, so that lines can be written by hand: only "text" is needed.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import IO, Any

from cognitive_memory.core.memory import DOCUMENT_KEYS, NewMemory, as_document
from cognitive_memory.core.values import Json, MemoryValueError, check_moment, check_text, shown
from cognitive_memory.storage import times
from cognitive_memory.storage.reading import Reader
from cognitive_memory.storage.rows import COLUMNS, as_json, as_memory
from heimdall.errors import HeimdallError
from heimdall.models.text import printable_json

FORMAT = "heimdall-memories"
VERSION = 1
LONGEST_LINE = 32_000_000
"""Bytes of a line that is read: what is longer is no memory, but a file that is something else."""

_KEYS = [*DOCUMENT_KEYS, "vector"]
_TIMES = ("created_at", "updated_at")

# With a limit, so that keys alone are sorted: whole memories of one moment may be too many to hold.
_EXPORT = f"""
SELECT {COLUMNS}, models.label, embeddings.vector, embeddings.failure
FROM (SELECT key FROM memories ORDER BY created_at, id LIMIT -1) CROSS JOIN memories USING (key)
LEFT JOIN embeddings ON embeddings.memory = memories.key AND :vectors LEFT JOIN models USING (model)
"""


@dataclass(eq=False, repr=False)
class JsonLineError(HeimdallError, ValueError):
    """A line that is to be imported can't be.

    Attributes:
        line: its number, from 1.
        problem: what is wrong with it.
        file: what the line stands in; empty where that is not known.
    """

    line: int
    problem: str
    file: str = ""

    def __str__(self) -> str:
        place = f"{self.file}, line" if self.file else "line"
        return (
            f"{place} {self.line}: {self.problem}; the lines before it may have been imported, none after it: "
            "mend it and import the file again, which changes nothing twice"
        )


@dataclass(frozen=True, slots=True)
class Line:
    """A memory that a line tells of.

    Attributes:
        number: the line's, from 1.
        memory: what is to be stored.
        updated_at: when it last changed where it comes from, in microseconds; None when the line does not say.
        space: the embedding space of its vector; None when there is no vector.
        vector: its vector as float32 bytes.
        failure: the reason why it has no vector in that space.
    """

    number: int
    memory: NewMemory
    updated_at: int | None = None
    space: str | None = None
    vector: bytes | None = None
    failure: str | None = None


def export_lines(reader: Reader, *, vectors: bool) -> Iterator[str]:
    """All memories of a database, without line ends, oldest first: the same memories give the same lines."""
    (count,) = reader.connection.execute("SELECT memories FROM project").fetchone()
    yield _dump({"format": FORMAT, "version": VERSION, "memories": count})
    for *row, space, vector, failure in reader.connection.execute(_EXPORT, {"vectors": vectors}):
        yield as_line(as_document(as_memory(row)), space=space, vector=vector, failure=failure)


def as_line(
    document: dict[str, Json],
    *,
    space: str | None = None,
    vector: bytes | None = None,
    failure: str | None = None,
) -> str:
    """The line of a memory.

    Args:
        document: what it says, as `as_document` gives it.
        space, vector, failure: as in `Line`.
    """
    if vector is not None:
        packed = base64.b64encode(vector).decode()
        document["vector"] = {"model": space, "float32": packed}
    elif failure is not None:
        document["vector"] = {"model": space, "failure": failure}
    return _dump(document)


def read_lines(stream: IO[bytes]) -> Iterator[str]:
    """The lines of a file that nobody has looked at, one by one.

    Raises:
        JsonLineError: a line is longer than `LONGEST_LINE`, or not UTF-8.
    """
    number = 0
    while line := stream.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise JsonLineError(number, f"it has more than {LONGEST_LINE:,} bytes")
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            problem = f"it is not UTF-8 (byte 0x{line[error.start]:02X} at {error.start})"
            raise JsonLineError(number, problem) from None
        yield text.removeprefix("\ufeff") if number == 1 else text


class LineReader:
    """Reads lines one by one and checks them.

    Attributes:
        promised: how many memories the header promises; None without a header.
        memories: how many came.
    """

    def __init__(self) -> None:
        self.promised: int | None = None
        self.memories = 0
        self._number = 0

    def read(self, lines: Iterable[str]) -> Iterator[Line]:
        """What the lines tell of; nothing for a header and blank lines.

        Raises:
            JsonLineError: a line can't be read; with its number.
        """
        for text in lines:
            self._number += 1
            if not text.strip():
                continue
            try:
                document = _document(text)
                if "format" in document:
                    self._read_header(document)
                    continue
                line = line_of(self._number, document)
            except ValueError as error:
                raise JsonLineError(self._number, str(error)) from None
            self.memories += 1
            yield line

    def finish(self) -> None:
        """Check that nothing is missing.

        Raises:
            JsonLineError: the header promised another number of memories.
        """
        if self.promised is not None and self.promised != self.memories:
            problem = (
                f"the file ends after {self.memories} memories, its header promises {self.promised}"
            )
            raise JsonLineError(self._number, problem)

    def _read_header(self, document: Mapping[str, Any]) -> None:
        kind, version = document["format"], document.get("version")
        if kind != FORMAT:
            raise ValueError(f"expected the format {FORMAT!r}, got {shown(kind)}")
        if version != VERSION:
            raise ValueError(
                f"version {shown(version)} of the format is not known, only {VERSION}; upgrade heimdall-mcp"
            )
        if self.memories or self.promised is not None:
            raise ValueError("a header stands in the middle; import files one by one")
        count = document.get("memories")
        self.promised = count if isinstance(count, int) else None


def _document(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"it is no JSON ({error})") from None
    if not isinstance(document, dict):
        raise ValueError(f"expected a JSON object, got {text.strip()[:40]}")  # noqa: TRY004 (the line is wrong)
    return document


def line_of(number: int, document: dict[str, Any]) -> Line:
    """The memory that a document tells of, as `as_document` and `as_line` write one.

    Raises:
        MemoryValueError: it has an unknown key, or a value that a memory can't have.
    """
    for name in document:
        if name not in _KEYS:
            near = get_close_matches(name, _KEYS, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise MemoryValueError(name[:80], f"is not known{hint} Known are {', '.join(_KEYS)}")
    if "text" not in document:
        raise MemoryValueError("text", "is missing")
    vector = _vector(document.pop("vector", None))
    created, updated = (_moment(name, document.pop(name, None)) for name in _TIMES)
    memory = NewMemory(**document, created_at=created)
    return Line(number, memory, times.microseconds(updated) if updated else None, *vector)


def _moment(name: str, value: object) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise MemoryValueError(
            name, f"expected a time as ISO 8601 writes it, got {shown(value)}"
        ) from None
    check_moment(name, moment)
    return moment


def _vector(value: object) -> tuple[str | None, bytes | None, str | None]:
    if value is None:
        return None, None, None
    if not isinstance(value, dict) or not isinstance(value.get("model"), str):
        raise MemoryValueError("vector", "expected an object with 'model' and 'float32'")
    check_text("vector", value["model"])
    if isinstance(failure := value.get("failure"), str):
        check_text("vector", failure)
        return value["model"], None, failure
    try:
        vector = base64.b64decode(value["float32"], validate=True)
    except (KeyError, ValueError, TypeError):
        raise MemoryValueError("vector", "'float32' is not base64") from None
    if len(vector) % 4 or not abs(_length(vector) - 1) < 1e-3:
        raise MemoryValueError("vector", "'float32' does not hold numbers of a vector of length 1")
    return value["model"], vector, None


def _length(vector: bytes) -> float:
    import numpy as np

    return float(np.linalg.norm(np.frombuffer(vector, dtype="<f4").astype(np.float64)))


def _dump(line: Mapping[str, Json]) -> str:
    return printable_json(as_json(line))
