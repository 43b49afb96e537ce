"""Rules of the form that `.gitignore` has, as one regular expression whose time is bounded.

git's documentation tells the form (gitignore(5)). A `*` is tried from the left and not again once the text behind it was
found: in a pattern without alternatives the leftmost place is as good as any. So the time is that of the name's length times
the rule's, where a usual translation into regular expressions is exponential in the number of stars.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cognitive_memory.core.batches import batched

_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": " \\t",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": "!-/:-@\\[-`{-~",
    "space": " \\t-\\r",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}
_TOGETHER = 100
"""Rules in one expression: Python's time for a group is linear in the groups before it."""
_FOLDERS = ["", "", ""]
"""What `_parts` makes of "**"."""
_PIECE = re.compile(
    r"""\\(?P<escaped>.)
    |\[(?P<negated>[!^]?)(?P<set>\]?(?>(?:\[:\w*:\]|\\.|[^]\\])*))\]
    |(?P<stars>\*+)
    |(?P<any>\?)
    |(?P<plain>[^\\[])""",
    re.VERBOSE | re.DOTALL,
)
_MEMBER = re.compile(r"\[:(?P<name>\w*):\]|\\?(?P<first>.)(?:-\\?(?P<last>[^]]))?", re.DOTALL)


class RuleError(ValueError):
    """A line is no rule: git takes it for one that fits nothing."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules in their order; of those that fit a name, the last one decides.

    Attributes:
        wrong: lines that are no rules, and are passed over.
    """

    _patterns: tuple[tuple[re.Pattern[str], tuple[bool, ...]], ...] = ()
    wrong: tuple[str, ...] = ()

    @classmethod
    def of(cls, lines: Iterable[str]) -> Self:
        """Read lines; blank ones and those that begin with "#" are none."""
        rules: list[tuple[str, bool]] = []
        wrong: list[str] = []
        for line in lines:
            rule = line.rstrip(" ")
            if rule != line and (len(rule) - len(rule.rstrip("\\"))) % 2:
                rule += " "  # this one is escaped
            if not rule or rule.startswith("#"):
                continue
            try:
                rules.append((_translated(rule.removeprefix("!")), not rule.startswith("!")))
            except RuleError:
                wrong.append(line)
        # The last one that fits counts, and an expression takes the first.
        patterns = tuple(_together(some) for some in batched(reversed(rules), _TOGETHER))
        return cls(patterns, tuple(wrong))

    def __bool__(self) -> bool:
        """Whether there is a rule."""
        return bool(self._patterns)

    def verdict(self, name: str) -> bool | None:
        """What the last rule that fits says: True, or False if it begins with "!"; None: no rule fits.

        Args:
            name: a path from the rules' folder, with "/" between folders, and behind a folder's name.
        """
        subject = _subject(name)
        for pattern, verdicts in self._patterns:
            match = pattern.fullmatch(subject)
            if match is not None:
                return verdicts[(match.lastindex or 1) - 1]
        return None

    def verdict_below(self, name: str) -> bool | None:
        """The verdict on a path, or on the nearest folder above it on which there is one.

        Args:
            name: as for `verdict`.
        """
        while name:
            if (verdict := self.verdict(name)) is not None:
                return verdict
            name = name[: name.rstrip("/").rfind("/") + 1]
        return None


def from_the_top(folder: Path) -> list[Path]:
    """The folders whose rules hold in one, from its repository's root down to it; itself alone if it is in none."""
    above = [folder, *folder.parents]
    top = next((place for place in above if (place / ".git").exists()), folder)
    return above[above.index(top) :: -1]


def _together(rules: list[tuple[str, bool]]) -> tuple[re.Pattern[str], tuple[bool, ...]]:
    expression = "|".join(f"({pattern})" for pattern, _ in rules)
    return re.compile(expression, re.DOTALL), tuple(verdict for _, verdict in rules)


def _translated(rule: str) -> str:
    """The expression of a rule, for what `_subject` makes of a name."""
    body = rule.removesuffix("/")
    end = "/" if body != rule else "/?"
    parts = _parts(body.removeprefix("/"))
    if "/" not in body:  # a name, in any folder
        return rf"{_segment(parts[0])}{end}\0.*"
    # What stands between the "**", with a "/" behind each name.
    runs = [""]
    for part in parts:
        if part == _FOLDERS:
            runs.append("")
        else:
            runs[-1] += _segment(part) + "/"
    first, *others = runs
    if not others:
        return rf"[^\0]*+\0{first.removesuffix('/')}{end}"
    *between, last = others
    found = "".join(f"(?>(?:[^/]+/)*?{run})" for run in between if run)
    # Below "a/**" is all that is in a, but not a itself.
    tail = f"(?:.*/)?{last.removesuffix('/')}{end}" if last else ".+" + end.replace("/?", "")
    return rf"[^\0]*+\0{first}{found}{tail}"


def _subject(name: str) -> str:
    """What the expressions are tried on: the path's last name for rules of names, and the path for the others."""
    return f"{name[name.rfind('/', 0, -1) + 1 :]}\0{name}"


def _segment(part: list[str]) -> str:
    """The expression of what stands between two "/"."""
    if not any(part):
        return "[^/]+"
    first, *others = part
    if not others:
        return first
    *between, last = others
    found = "".join(f"(?>[^/]*?{run})" for run in between if run)
    return f"{first}{found}[^/]*{last}"


def _parts(glob: str) -> list[list[str]]:
    """What stands between the "/", and of each part the expressions of what stands between its stars."""
    parts, end = [[""]], 0
    while end < len(glob):
        piece = _PIECE.match(glob, end)
        if piece is None:
            raise RuleError(f"{glob} has a backslash at its end, or a bracket that is not closed")
        end = piece.end()
        if piece["plain"] == "/":
            parts.append([""])
        elif piece["stars"]:
            # Each star but a part's first adds nothing, except that a part of stars alone is any folders.
            parts[-1] += [""] * min(len(piece["stars"]), 2)
        elif piece["set"] is not None:
            negation = "^" if piece["negated"] else ""
            parts[-1][-1] += f"(?!/)[{negation}{_members(piece['set'])}]"
        elif piece["any"]:
            parts[-1][-1] += "[^/]"
        else:
            parts[-1][-1] += re.escape(piece["escaped"] or piece["plain"])
    if [""] in parts:
        raise RuleError(f"{glob} has no name before or behind a /")
    return parts


def _members(inside: str) -> str:
    members = ""
    for member in _MEMBER.finditer(inside):
        name, first, last = member["name"], member["first"], member["last"]
        if name is not None:
            if name not in _CLASSES:
                raise RuleError(f"[:{name}:] is no class of characters")
            members += _CLASSES[name]
        elif last is None:
            members += re.escape(first)
        elif first > last:
            raise RuleError(f"{first}-{last} is an empty range")
        else:
            members += f"{re.escape(first)}-{re.escape(last)}"
    if not members:
        raise RuleError("[] is not closed")
    return members
