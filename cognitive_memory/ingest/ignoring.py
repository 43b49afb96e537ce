"""Which files of a folder are left out: `.gitignore` and `.heimdallignore`, as git understands them."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from cognitive_memory.ingest.rules import Rules, from_the_top
from heimdall.models.regular_file import NotRegularError, read_regular

NEVER = frozenset({".git", ".heimdall", ".hg", ".svn", ".jj"})
"""Names that are never looked into, whatever a rule says."""

_USUAL = (
    "node_modules/ bower_components/ __pycache__/ .venv/ venv/ site-packages/ .tox/ .nox/ .eggs/ "
    "*.egg-info/ .*_cache/ .cache/ .idea/ .gradle/ .terraform/"
)
"""What other programs make; any rule of the user's has precedence over these."""

FILES = (".gitignore", ".heimdallignore")
"""What holds rules; in one folder, the second has the last word."""

_TOLD = 5
"""Lines of a file that are named because they are no rules."""
_LARGEST = 100_000
"""Bytes of such a file that are read: each file that is walked past is held against all of its rules."""


@dataclass(frozen=True, slots=True)
class Ignoring:
    """The rules that hold in one folder: its own and those of the folders above it, up to the repository's root.

    Attributes:
        problems: rule files that could not be read, with the reason.
    """

    _rules: tuple[tuple[Path, Rules], ...] = ()
    problems: tuple[str, ...] = ()

    @classmethod
    def at(cls, folder: Path) -> Self:
        """The rules at a folder with which a walk begins.

        Args:
            folder: an absolute path.
        """
        top, *below = from_the_top(folder)
        rules = cls(((top, Rules.of(_USUAL.split())),))
        rules = rules._with(top, top / ".git" / "info" / "exclude")
        is_ignored = False
        for place in below:
            rules = rules.below(place.parent)
            is_ignored = is_ignored or rules.ignores(place, is_folder=True)
        if is_ignored:
            rules = cls()  # whoever names an ignored folder wants what is in it
        return rules.below(folder)

    def below(self, folder: Path) -> Self:
        """The rules in a folder for which those of its parent are known: `self`, and what its own files say."""
        rules = self
        for name in FILES:
            rules = rules._with(folder, folder / name)
        return rules

    def ignores(self, path: Path, *, is_folder: bool) -> bool:
        """Whether a file or folder in a folder that is not left out is; the last rule that fits it decides.

        As git has it, and as whoever walks asks: at each folder on the way.
        """
        return path.name in NEVER or bool(self._verdict(path, is_folder=is_folder))

    def wants(self, path: Path) -> bool:
        """Whether a rule says of a file that it is not to be left out: `!name`."""
        return self._verdict(path, is_folder=False) is False

    def _verdict(self, path: Path, *, is_folder: bool) -> bool | None:
        for folder, rules in reversed(self._rules):
            verdict = rules.verdict(path.relative_to(folder).as_posix() + "/" * is_folder)
            if verdict is not None:
                return verdict
        return None

    def _with(self, folder: Path, file: Path) -> Self:
        try:
            content, status = read_regular(file, _LARGEST)
        except (FileNotFoundError, NotADirectoryError, NotRegularError):
            return self  # git follows no link to rules either
        except OSError as error:
            problem = f"{file} could not be read ({error.strerror}): its rules do not hold"
            return replace(self, problems=(*self.problems, problem))
        problems = list(self.problems)
        if len(content) > _LARGEST:
            # A rule that is cut would be another rule.
            content = content[: content.rfind(b"\n") + 1]
            problems.append(
                f"{file} has {status.st_size:,} bytes: rules beyond the first {_LARGEST:,} do not hold"
            )
        text = content.removeprefix(codecs.BOM_UTF8).decode(errors="surrogateescape")
        rules = Rules.of(line.removesuffix("\r") for line in text.split("\n"))
        # One bad line must not undo the file's other rules.
        problems += (
            f"{file}: {line[:80]!r} is no rule that git knows, and was passed over"
            for line in rules.wrong[:_TOLD]
        )
        if more := len(rules.wrong[_TOLD:]):
            problems.append(f"{file}: and so are {more:,} other lines")
        held = ((folder, rules),) if rules else ()
        return replace(self, _rules=(*self._rules, *held), problems=tuple(problems))
