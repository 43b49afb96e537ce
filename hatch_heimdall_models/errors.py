"""The one error of this package: something the maintainer has to correct, with every problem."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self


_SHOWN = 20
"""Problems that one message names: of a wrong folder every file may have one."""


def reason(error: Exception) -> str:
    """What an exception says; of the system's errors without number and path."""
    return (isinstance(error, OSError) and error.strerror) or str(error)


class ModelBuildError(Exception):
    """A build, lock or release can't go on.

    Attributes:
        subject: what was looked at, for example a path or a TOML table.
        problems: every problem found, one sentence each.
    """

    def __init__(self, subject: str, problems: Iterable[str]) -> None:
        self.subject = subject
        self.problems = tuple(problems)
        super().__init__(subject, self.problems)

    def __str__(self) -> str:
        if len(self.problems) == 1:
            return f"{self.subject}: {self.problems[0]}"
        shown = [*self.problems[:_SHOWN]]
        if len(self.problems) > len(shown):
            shown.append(f"and {len(self.problems) - len(shown):,} more")
        return "\n  - ".join([f"{self.subject}: {len(self.problems):,} problems", *shown])


class ChangedAssetError(ModelBuildError):
    """A release asset is not what the lock or the models say."""

    @classmethod
    def of(cls, model: str, changed: str, tag: str, asset: str) -> Self:
        """The error for files that changed under an asset's name which the lock has already."""
        problem = (
            f"has changed ({changed}), but {asset} of the release {tag} is locked with other bytes, and "
            "everybody who has that release would be refused these: raise the version, or name another "
            "release with --version or --tag; only if nobody has it yet, add --replace"
        )
        return cls(model, [problem])
