"""Running git on a repository that is not trusted, and without any setting that would change what it prints."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from cognitive_memory.ingest.errors import GitError

_SETTINGS = {
    # Nothing that a repository's configuration names is run: hooks, monitors, pagers, signature checkers.
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.pager": "cat",
    "log.showSignature": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    # And nothing that it says changes the form of the answer.
    "core.quotePath": "off",
    "i18n.logOutputEncoding": "UTF-8",
    "log.showRoot": "true",
    "log.follow": "false",
    "log.diffMerges": "off",
    "diff.renameLimit": "1000",
}
_OPTIONS = ("--no-pager", "--no-replace-objects", "--literal-pathspecs")


class Git:
    """The git of one repository.

    Args:
        folder: the repository, or a folder in it.

    Attributes:
        top: the folder with the working tree, or the repository itself if it is a bare one.
        shallow: the commits whose parents a shallow clone left out.
        lacking: what a partial clone left out, in git's words ("blob:none", "tree:0"); empty: nothing.

    Raises:
        GitError: git is not installed, or there is no repository that it would read.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        if not folder.is_dir():
            raise GitError(f"{folder} is no folder: expected a git repository")
        try:
            bare = self.line("rev-parse", "--is-bare-repository") == "true"
            self.top = Path(
                self.line("rev-parse", "--absolute-git-dir" if bare else "--show-toplevel")
            ).resolve()
        except GitError as error:
            raise _no_repository(folder, error) from error
        # Both say where the history is incomplete, which must not look like commits that are gone.
        path = folder / self.line("rev-parse", "--git-path", "shallow")
        self.shallow = frozenset(path.read_text(encoding="ascii").split() if path.exists() else ())
        try:
            filters = self.text("config", "--get-regexp", r"^remote\..*\.partialclonefilter$")
        except GitError:  # exit code 1: it is not set
            filters = ""
        self.lacking = " ".join(filters.split()[1:2])

    def commit(self, name: str | None) -> str | None:
        """The full id of the commit that a branch, tag or id means; default: what is checked out.

        Returns:
            None if nothing was named and there is no commit yet.

        Raises:
            GitError: there is no such branch, tag or commit.
        """
        try:
            return self.line(
                "rev-parse",
                "--verify",
                "--quiet",
                "--end-of-options",
                f"{name or 'HEAD'}^{{commit}}",
            )
        except GitError as error:
            if name is None:
                return None
            raise GitError(
                f"{self.top} has no branch, tag or commit {name!r}: 'git branch --all' lists them"
            ) from error

    def is_ancestor(self, old: str, new: str) -> bool:
        """Whether `new` has `old` among its ancestors, or is it; False if either is not there."""
        try:
            self.text("merge-base", "--is-ancestor", "--end-of-options", old, new)
        except GitError:  # exit code 1 says no, 128 that there is no such commit
            return False
        return True

    def text(self, *arguments: str) -> str:
        """What a command prints, as text.

        Raises:
            GitError: the command failed; with what it said.
        """
        return self._run(arguments).decode(errors="replace")

    def line(self, *arguments: str) -> str:
        """The line that a command prints, without its end.

        Raises:
            GitError: as `text`.
        """
        return self.text(*arguments).removesuffix("\n")

    def fields(self, *arguments: str, given: Iterable[str] = ()) -> list[bytes]:
        """What a command prints between NUL bytes; the last field has a NUL after it, too.

        Args:
            arguments: the command.
            given: lines for its standard input.

        Raises:
            GitError: as `text`.
        """
        *fields, rest = self._run(arguments, "".join(f"{line}\n" for line in given)).split(b"\0")
        return [*fields, rest] if rest else fields

    def _run(self, arguments: tuple[str, ...], given: str = "") -> bytes:
        settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        command = ["git", "-C", str(self._folder), *_OPTIONS, *settings, *arguments]
        try:
            done = subprocess.run(
                command, input=given.encode(), capture_output=True, env=_environment(), check=False
            )
        except FileNotFoundError as error:
            raise GitError(
                "git was not found on PATH: install it (https://git-scm.com) to load a history"
            ) from error
        if done.returncode:
            problem = done.stderr.decode(errors="replace").strip()
            raise GitError(
                f"git {arguments[0]} failed in {self._folder}: "
                f"{problem or f'exit code {done.returncode}'}"
            )
        return done.stdout


def _environment() -> dict[str, str]:
    """Ours without what would point git elsewhere (hooks set such variables), and without a network.

    A partial clone would otherwise fetch what is missing, by a command that its configuration names.
    """
    ours = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith("GIT_") or name in _KEPT
    }
    fixed = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
    return {**ours, **fixed, "GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1"}


_KEPT = {
    "GIT_EXEC_PATH",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CEILING_DIRECTORIES",
}


def _no_repository(folder: Path, error: GitError) -> GitError:
    said = str(error)
    if "dubious ownership" in said:
        return GitError(
            f"git refuses to read {folder}, which belongs to somebody else. If you trust it: "
            f"git config --global --add safe.directory {folder}"
        )
    if "not a git repository" in said:
        return GitError(f"{folder} is in no git repository: name one, or make one with 'git init'")
    return error
