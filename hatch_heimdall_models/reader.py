"""Reading a JSON object or a TOML table as a whole, so that a maintainer sees every mistake at once."""

from __future__ import annotations

import difflib
import json
import re
from typing import TYPE_CHECKING, Any, TypeVar

from hatch_heimdall_models import toml
from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.pin_rules import path_problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Self

_Value = TypeVar("_Value")

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,3})?) ?([a-z]+)", re.ASCII | re.IGNORECASE)
_UNITS = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}


class Reader:
    """Reads the values of a TOML table and collects problems.

    A value that has one comes back as an empty one.

    Attributes:
        table: the values by key.
        where: the table's full path in its document; empty for the document itself.
        problems: every problem so far, each with its full path; shared by the readers of inner
            tables.
    """

    one, several = "a table", "tables"

    def __init__(
        self, table: Mapping[str, Any], where: str = "", problems: list[str] | None = None
    ) -> None:
        self.table = table
        self.where = where
        self.problems: list[str] = [] if problems is None else problems
        self._read: dict[str, None] = {}

    def raise_problems(self, subject: str) -> None:
        """End reading a document.

        Raises:
            ModelBuildError: if there was any problem.
        """
        if self.problems:
            raise ModelBuildError(subject, self.problems)

    def error(self, key: str | None, problem: str) -> None:
        """Note a problem of a key, or, where that is None, of the whole table."""
        where = self.where if key is None else self._path(key)
        self.problems.append(f"{where}: {problem}" if where else problem)

    def expected(self, key: str, what: str) -> None:
        """Note that a key has another value than it should."""
        actual = f"found {self.table[key]!r}" if key in self.table else "but it is missing"
        self.error(key, f"expected {what}, {actual}")

    def value(self, key: str, default: object = None) -> Any:
        """The value as it is."""
        self._read[key] = None
        return self.table.get(key, default)

    def text(
        self,
        key: str,
        form: re.Pattern[str] | None = None,
        what: str | None = None,
        default: str | None = None,
    ) -> str:
        """A text of that form, never empty; `what` says for people what it should be."""
        value = self.value(key, default)
        if isinstance(value, str) and value and (form is None or form.fullmatch(value)):
            return value
        self.expected(key, what or (f"a string of the form {form.pattern}" if form else "a string"))
        return ""

    def optional(self, read: Callable[..., _Value], key: str, *arguments: Any) -> _Value | None:
        """What a method of this reader gives for the key, or None where the key is missing."""
        self._read[key] = None
        return read(key, *arguments) if key in self.table else None

    def path(self, key: str, default: str | None = None, *, folder: bool = False) -> str:
        """A relative path; that of a `folder` may end in a slash, which is left off."""
        value = self.value(key, default)
        if folder and isinstance(value, str):
            value = value.removesuffix("/")
        if (problem := path_problem(value)) is None:
            return str(value)
        if isinstance(value, str):
            self.error(key, f"expected a relative path, but {value!r} {problem}")
        else:
            self.expected(key, "a relative path")
        return ""

    def texts(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Texts, none of them empty."""
        value = self.value(key, list(default))
        if isinstance(value, list) and all(isinstance(item, str) and item for item in value):
            return tuple(value)
        self.expected(key, "an array of strings")
        return default

    def paths(self, key: str) -> tuple[str, ...]:
        """Relative paths, none by default."""
        values = self.texts(key)
        for value in values:
            if problem := path_problem(value):
                self.error(key, f"expected relative paths, but {value!r} {problem}")
        return values

    def flag(self, key: str) -> bool:
        """True or false, false by default."""
        value = self.value(key, default=False)
        if not isinstance(value, bool):
            self.expected(key, "true or false")
        return value is True

    def positive(self, key: str, what: str = "number of bytes") -> int:
        """A whole number above 0."""
        value = self.value(key)
        # A bool is an int to isinstance.
        if type(value) is int and value > 0:
            return value
        self.expected(key, f"a positive {what}")
        return 0

    def size(self, key: str) -> int:
        """A number of bytes above 0, also as a text with a unit."""
        value = self.value(key)
        match = _SIZE.fullmatch(value) if isinstance(value, str) else None
        if match and (unit := _UNITS.get(match[2].lower())):
            value = int(float(match[1]) * unit)
        if type(value) is int and value > 0:
            return value
        units = "B, KB, MB, GB (powers of 1000), KiB, MiB or GiB (of 1024)"
        self.expected(key, f"a positive number of bytes or a text such as '300 KB', in {units}")
        return 0

    def inner(self, key: str) -> Self:
        """The table of that key.

        An empty one where the key is missing, so that what is needed of it is named.
        """
        value = self.value(key, {})
        if isinstance(value, dict):
            return type(self)(value, self._path(key), self.problems)
        self.expected(key, self.one)
        # A reader with problems of its own: what an empty table lacks would say nothing more.
        return type(self)({}, self._path(key))

    def each(self, key: str, *, required: bool = False) -> Iterator[Self]:
        """The tables of an array, at least one of them where it is `required`."""
        values = self.value(key, [])
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            self.expected(key, f"an array of {self.several}")
        elif required and not values:
            self.expected(key, f"an array of {self.several}, at least one")
        else:
            for index, value in enumerate(values):
                yield type(self)(value, f"{self._path(key)}[{index}]", self.problems)

    def refuse_unknown_keys(self, *others: str) -> None:
        """Note every key that was neither read so far, which messages list, nor is one of `others`."""
        known = (*self._read, *others)
        for key in [key for key in self.table if key not in known]:
            lookalike = key.lower().replace("_", "-")
            near = difflib.get_close_matches(lookalike, known, n=1, cutoff=0.55)
            hint = f"did you mean {near[0]!r}?" if near else f"allowed are {', '.join(self._read)}"
            self.error(key, f"unknown key; {hint}")

    def _path(self, key: str) -> str:
        name = key if _BARE_KEY.fullmatch(key) else json.dumps(key)
        return f"{self.where}.{name}" if self.where else name


class JsonReader(Reader):
    """The same for a JSON object."""

    one, several = "an object", "objects"


def read_toml(text: str, *, subject: str) -> Reader:
    """Begin to read a TOML document.

    Raises:
        ModelBuildError: if it is none.
    """
    try:
        return Reader(toml.loads(text))
    except (toml.TOMLDecodeError, RecursionError) as error:
        raise ModelBuildError(subject, [f"is not TOML: {error}"]) from error


def read_json(text: str | bytes, *, subject: str) -> JsonReader:
    """Begin to read the object that a JSON text is.

    Raises:
        ModelBuildError: if it is no JSON, or another value.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelBuildError(subject, [f"is not JSON: {error}"]) from error
    if not isinstance(document, dict):
        raise ModelBuildError(subject, ["must be a JSON object"])
    return JsonReader(document)
