"""Which files of a folder are left out: `.gitignore` and `.heimdallignore`, as git understands them."""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

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
        for place in reversed(above[1 : above.index(top) + 1]):
            rules = rules.below(place)
        if folder != top and rules.ignores(folder, is_folder=True):
            rules = cls()  # whoever names an ignored folder wants what is in it
        return rules.below(folder)

    def below(self, folder: Path) -> Self:
        """The rules in a folder for which those of its parent are known: `self`, and what its own files say."""
        rules = self
        for name in FILES:
            rules = rules._with(folder, folder / name)
        return rules

    def ignores(self, path: Path, *, is_folder: bool) -> bool:
        """Whether a file or folder is left out. The rule that was found last decides, as git has it."""
        if path.name in NEVER:
            return True
        for folder, spec in reversed(self._rules):
            name = path.relative_to(folder).as_posix() + ("/" if is_folder else "")
            verdict = spec.check_file(name).include
            if verdict is not None:
                return verdict
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
