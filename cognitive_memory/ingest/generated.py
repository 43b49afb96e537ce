"""Files that no person wrote here: generated, minified, locked and vendored ones, as GitHub's linguist tells them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cognitive_memory.ingest.rules import Rules, from_the_top
from heimdall.models.regular_file import read_regular

FILE = ".gitattributes"
GENERATED, VENDORED = "generated", "vendored"
_ATTRIBUTES = {"linguist-generated": GENERATED, "linguist-vendored": VENDORED}
_LARGEST = 100_000
"""Bytes of such a file that are read."""
_NAMES = re.compile(
    r".*[.-]min\.(?:js|css|mjs|cjs)|(?:package-lock|npm-shrinkwrap)\.json|pnpm-lock\.ya?ml|.*\.lock|go\.sum|gradle\.lockfile"
    r"|.*\.pb\.(?:go|cc|h)|.*_pb2(?:_grpc)?\.pyi?|.*\.(?:designer|g)\.cs|.*\.(?:g|freezed)\.dart|.*\.generated\.\w+",
    re.IGNORECASE,
)
_HEAD = 2000
_HEAD_LINES = 10
"""In which a generator says so; further down, a program that generates something does."""
_SAID = re.compile(
    r"@generated\b|(?:(?:code|file|automatically) |auto-?)generated\b[^\n]{0,200}\bdo not (?:edit|modify|change)"
    r"|generated (?:by|from|using)\b[^\n]{0,200}(?:\n[^\n]{0,100})?\bdo not (?:edit|modify|change)",
    re.IGNORECASE,
)
_MINIFIED = frozenset({"js", "mjs", "cjs", "css"})
_AVERAGE = 200
"""Characters in a line, on average, that nobody writes."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """What the `.gitattributes` of a folder, and of those above it, say of files that no person wrote.

    Attributes:
        _rules: by folder, for each attribute.
    """

    _rules: tuple[tuple[Path, Mapping[str, Rules]], ...] = ()

    @classmethod
    def at(cls, folder: Path) -> Self:
        """What holds at a folder with which a walk begins.

        Args:
            folder: an absolute path.
        """
        attributes = cls()
        for place in from_the_top(folder):
            attributes = attributes.below(place)
        return attributes

    def below(self, folder: Path) -> Self:
        """What holds in a folder for whose parent it is known."""
        try:
            content, _ = read_regular(folder / FILE, _LARGEST)
        except OSError:
            return self
        rules = _rules(content.decode(errors="surrogateescape").splitlines())
        return type(self)((*self._rules, (folder, rules))) if rules else self

    def kind(self, path: Path) -> str | None:
        """What a file is, by its attributes or else by its name; None: somebody wrote it, as far as these tell."""
        said = {
            kind: verdict
            for kind in (GENERATED, VENDORED)
            if (verdict := self._verdict(path, kind)) is not None
        }
        for kind, verdict in said.items():
            if verdict:
                return kind
        return GENERATED if GENERATED not in said and _NAMES.fullmatch(path.name) else None

    def _verdict(self, path: Path, kind: str) -> bool | None:
        for folder, rules in reversed(self._rules):
            if kind in rules:
                verdict = rules[kind].verdict_below(path.relative_to(folder).as_posix())
                if verdict is not None:
                    return verdict
        return None


def _rules(lines: Iterable[str]) -> dict[str, Rules]:
    found: dict[str, list[str]] = {}
    for line in lines:
        pattern, attributes = _parts(line.strip())
        for attribute in attributes:
            name, _, value = attribute.lstrip("-!").partition("=")
            kind = _ATTRIBUTES.get(name)
            if kind is not None:
                is_set = not attribute.startswith(("-", "!")) and value != "false"
                found.setdefault(kind, []).append(pattern if is_set else f"!{pattern}")
    return {kind: Rules.of(patterns) for kind, patterns in found.items()}


def _parts(line: str) -> tuple[str, list[str]]:
    """A line's pattern, which may be in quotation marks, and its attributes."""
    if line.startswith('"'):
        pattern, _, rest = line[1:].partition('"')
    else:
        pattern, _, rest = line.partition(" ") if " " in line else line.partition("\t")
    return pattern, [] if pattern.startswith("#") else rest.split()


def is_generated(name: str, content: bytes) -> bool:
    """Whether a file says at its beginning that it is generated, or is minified."""
    head = b"\n".join(content[:_HEAD].split(b"\n", _HEAD_LINES)[:_HEAD_LINES])
    if _SAID.search(head.decode(errors="replace")):
        return True
    is_code = name.rpartition(".")[2].lower() in _MINIFIED
    return is_code and len(content) > _AVERAGE * (content.count(b"\n") + 1) and len(content) > _HEAD
