"""Memories as lines of JSON, for other machines, other releases and other programs.

The first line is a header, `{"format": "heimdall-memories", "version": 1, "memories": <count>}`; each further line is one
memory. A file without a header is read too, so that lines can be written by hand: only "text" is needed.
"""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from cognitive_memory.core.memory import Json, MemoryType, MemoryValueError, NewMemory
from cognitive_memory.storage import times
from heimdall.errors import HeimdallError

FORMAT = "heimdall-memories"
VERSION = 1

_KEYS = (
    "id",
    "text",
    "context",
    "type",
    "tags",
    "source",
    "importance",
    "pinned",
    "created_at",
    "updated_at",
    "metadata",
    "vector",
)
_TIMES = ("created_at", "updated_at")

_LINE_ENDS = {ord(character): f"\\u{ord(character):04x}" for character in "\x85\u2028\u2029"}
"""Characters that some readers take for the end of a line, and what JSON may say instead."""

_EXPORT = """
SELECT id, text, context, type, tags, source, importance, pinned, created_at, updated_at, metadata,
    models.label, embeddings.vector, embeddings.failure
FROM memories LEFT JOIN embeddings ON embeddings.memory = memories.key AND :vectors LEFT JOIN models USING (model)
ORDER BY memories.created_at, memories.id
"""


class ExchangeError(HeimdallError, ValueError):
    """A line that is to be imported can't be.

    Attributes:
        line: its number, from 1.
        problem: what is wrong with it.
    """

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(line, problem)
        self.line = line
        self.problem = problem

    def __str__(self) -> str:
        return (
            f"line {self.line}: {self.problem}; the lines before it may have been imported, none after it: "
            "mend it and import the file again, which changes nothing twice"
        )


@dataclass(frozen=True, slots=True)
class Line:
    """A memory that a line tells of.

    Attributes:
        number: the line's, from 1.
        memory: what is to be stored.
        updated_at: when it last changed where it comes from, in microseconds; None when the line does not say.
        label: which model its vector is of; None when there is no vector.
        vector: its vector as float32 bytes.
        failure: the reason why that model gives it no vector.
    """

    number: int
    memory: NewMemory
    updated_at: int | None = None
    label: str | None = None
    vector: bytes | None = None
    failure: str | None = None


def export(connection: sqlite3.Connection, *, vectors: bool) -> Iterator[str]:
    """All memories of a database, without line ends, oldest first: the same memories give the same lines."""
    (count,) = connection.execute("SELECT memories FROM project").fetchone()
    yield _dump({"format": FORMAT, "version": VERSION, "memories": count})
    for row in connection.execute(_EXPORT, {"vectors": vectors}):
        line: dict[str, Json] = {
            "id": row[0],
            "text": row[1],
            "context": row[2],
            "type": row[3],
            "tags": json.loads(row[4]),
            "source": row[5],
            "importance": row[6],
            "pinned": bool(row[7]),
            "created_at": times.moment(row[8]).isoformat(timespec="microseconds"),
            "updated_at": times.moment(row[9]).isoformat(timespec="microseconds"),
            "metadata": json.loads(row[10]),
        }
        if row[12] is not None:
            line["vector"] = {"model": row[11], "float32": base64.b64encode(row[12]).decode()}
        elif row[13] is not None:
            line["vector"] = {"model": row[11], "failure": row[13]}
        yield _dump(line)


class Reader:
    """Reads lines one by one and checks them.

    Attributes:
        expected: how many memories the header promised; None without a header.
        memories: how many came.
    """

    def __init__(self) -> None:
        self.expected: int | None = None
        self.memories = 0
        self._number = 0

    def read(self, text: str) -> Line | None:
        """What a line tells of; None for the header and blank lines.

        Raises:
            ExchangeError: with the line's number.
        """
        self._number += 1
        if not text.strip():
            return None
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise self.error(f"it is no JSON ({error})") from None
        if not isinstance(document, dict):
            raise self.error(f"expected a JSON object, got {text.strip()[:40]}")
        if "format" in document:
            self._header(document)
            return None
        try:
            line = _line(self._number, document)
        except MemoryValueError as error:
            raise self.error(str(error)) from None
        self.memories += 1
        return line

    def finish(self) -> None:
        """Check that nothing is missing.

        Raises:
            ExchangeError: the header promised another number of memories.
        """
        if self.expected is not None and self.expected != self.memories:
            raise self.error(
                f"the file ends after {self.memories} memories, its header promises {self.expected}"
            )

    def error(self, problem: str) -> ExchangeError:
        """An error about the line that was read last."""
        return ExchangeError(self._number, problem)

    def _header(self, document: Mapping[str, Any]) -> None:
        if document["format"] != FORMAT:
            raise self.error(f"expected the format {FORMAT!r}, got {document['format']!r}")
        if document.get("version") != VERSION:
            version = document.get("version")
            raise self.error(
                f"version {version!r} of the format is not known, only {VERSION}; upgrade heimdall-mcp"
            )
        if self.memories or self.expected is not None:
            raise self.error("a header stands in the middle; import files one by one")
        count = document.get("memories")
        self.expected = count if isinstance(count, int) else None


def _line(number: int, document: Mapping[str, Any]) -> Line:
    for name in document:
        if name not in _KEYS:
            near = get_close_matches(name, _KEYS, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise MemoryValueError(name, f"is not known{hint} Known are {', '.join(_KEYS)}")
    if "text" not in document:
        raise MemoryValueError("text", "is missing")
    values = {
        name: value for name, value in document.items() if name not in {"vector", "updated_at"}
    }
    moments = {
        name: _moment(name, document[name]) for name in _TIMES if document.get(name) is not None
    }
    updated = moments.pop("updated_at", None)
    memory = NewMemory(**{**values, "type": document.get("type", MemoryType.EPISODE), **moments})
    label, vector, failure = _vector(document.get("vector"))
    return Line(
        number,
        memory,
        None if updated is None else times.microseconds(updated),
        label,
        vector,
        failure,
    )


def _moment(name: str, value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise MemoryValueError(
            name, f"expected a time as ISO 8601 writes it, got {value!r}"
        ) from None
    if moment.tzinfo is None:
        raise MemoryValueError(name, f"{value} has no time zone")
    return moment


def _vector(value: object) -> tuple[str | None, bytes | None, str | None]:
    if value is None:
        return None, None, None
    if not isinstance(value, dict) or not isinstance(value.get("model"), str):
        raise MemoryValueError("vector", "expected an object with 'model' and 'float32'")
    if isinstance(failure := value.get("failure"), str):
        return value["model"], None, failure
    try:
        vector = base64.b64decode(value["float32"], validate=True)
    except (KeyError, ValueError, TypeError):
        raise MemoryValueError("vector", "'float32' is not base64") from None
    if not is_unit(vector):
        raise MemoryValueError("vector", "'float32' does not hold numbers of a vector of length 1")
    return value["model"], vector, None


def is_unit(vector: bytes) -> bool:
    """Whether bytes are float32 numbers of a vector of length 1, to within a thousandth."""
    import numpy as np

    if not vector or len(vector) % 4:
        return False
    return bool(
        abs(np.linalg.norm(np.frombuffer(vector, dtype="<f4").astype(np.float64)) - 1) < 1e-3
    )


def _dump(line: Mapping[str, Json]) -> str:
    text = json.dumps(line, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.translate(_LINE_ENDS)
