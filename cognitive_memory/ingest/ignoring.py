"""Which files of a folder are left out: `.gitignore` and `.heimdallignore`, as git understands them."""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec, Pattern
    from pathspec.pattern import RegexPattern

NEVER = frozenset({".git", ".heimdall", ".hg", ".svn", ".jj"})
"""Names that are never looked into, whatever a rule says."""

_USUAL = (
    "node_modules/ bower_components/ __pycache__/ .venv/ venv/ site-packages/ .tox/ .nox/ .eggs/ "
    "*.egg-info/ .*_cache/ .cache/ .idea/ .gradle/ .terraform/ *.min.js *.min.css"
)
"""What other programs make; any rule of the user's has precedence over these."""

FILES = (".gitignore", ".heimdallignore")
"""What holds rules; in one folder, the second has the last word."""


@dataclass(frozen=True, slots=True)
class Ignoring:
    """The rules that hold in one folder: its own and those of the folders above it, up to the repository's root.

    Attributes:
        problems: rule files that could not be read, with the reason.
    """

    _rules: tuple[tuple[Path, GitIgnoreSpec], ...] = ()
    problems: tuple[str, ...] = ()

    @classmethod
    def at(cls, folder: Path) -> Self:
        """The rules at a folder with which a walk begins.

        Args:
            folder: an absolute path.
        """
        from pathspec import GitIgnoreSpec

        above = [folder, *folder.parents]
        top = next((place for place in above if (place / ".git").exists()), folder)
        rules = cls(((top, GitIgnoreSpec.from_lines(_USUAL.split())),))
        rules = rules._with(top, top / ".git" / "info" / "exclude")
        is_ignored = False
        for place in reversed(above[: above.index(top)]):
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
        if path.name in NEVER:
            return True
        for folder, spec in reversed(self._rules):
            name = path.relative_to(folder).as_posix() + ("/" if is_folder else "")
            for pattern in reversed(spec.patterns):
                if pattern.include is not None and _fits(pattern, name):
                    return pattern.include
        return False

    def _with(self, folder: Path, file: Path) -> Self:
        from pathspec import GitIgnoreSpec

        try:
            # Git follows no link to rules either, and a pipe would never end.
            if not stat.S_ISREG(file.lstat().st_mode):
                return self
            lines = file.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        except (FileNotFoundError, NotADirectoryError):
            return self
        except OSError as error:
            problem = f"{file} could not be read ({error.strerror}): its rules do not hold"
            return replace(self, problems=(*self.problems, problem))
        rules: list[str] = []
        problems = list(self.problems)
        for line in lines:
            try:
                GitIgnoreSpec.from_lines([line])
            except (ValueError, re.error):
                # One bad line must not undo the file's other rules.
                problems.append(f"{file}: {line!r} is no rule that git knows, and was passed over")
            else:
                rules.append(line)
        ours = (folder, GitIgnoreSpec.from_lines(rules))
        return replace(self, _rules=(*self._rules, ours), problems=tuple(problems))


def _fits(pattern: Pattern, name: str) -> bool:
    """Whether a rule is about the path itself, not only about a folder above it.

    pathspec lets `!/a` bring back all that lies below `a`; git asks at each folder on the way, and
    means `a` itself.
    """
    regex = cast("RegexPattern", pattern).regex
    # Where a rule ends at a folder, pathspec gives the slash behind it a name.
    return regex is not None and any(
        match.groupdict().get("ps_d") is None or match.end("ps_d") == len(name)
        for match in regex.finditer(name)
    )
