"""Running git on a repository that is not trusted, and without any setting that would change what it prints."""

from __future__ import annotations

import os
import select
import stat
import subprocess
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cognitive_memory.ingest.errors import GitError, GitStalledError
from cognitive_memory.project.real_path import real_path
from heimdall.models.regular_file import read_regular

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
    # Files that it names are not opened: a pipe has no end.
    "core.attributesFile": os.devnull,
    "core.excludesFile": os.devnull,
    "log.mailmap": "false",
    "mailmap.file": "",
    "mailmap.blob": "",
}
STALL = 60
"""Seconds without a word after which git is ended: it reads a pipe, or compares what has no end."""
QUICK_STALL = 20
"""The same for what needs no look at the history."""
_QUICK = frozenset({"rev-parse", "config"})
_READ_WHOLE = (
    *("HEAD", "config", "config.worktree", "commondir", "packed-refs", "shallow"),
    *("info/attributes", "info/grafts", "objects/info/alternates"),
    *("objects/info/commit-graph", "objects/pack/multi-pack-index"),
)
"""What git opens in its directory without a look at what it is."""
_CHUNK = 1 << 16
_COMPLAINT = 2000
"""Bytes of what git says of a failure that are told."""
_SHALLOW = 10_000_000
"""Bytes of the list of commits that a shallow clone has no parents of."""
_OPTIONS = ("--no-pager", "--no-replace-objects", "--literal-pathspecs")


class Git:
    """The git of one repository.

    Args:
        folder: the repository, or a folder in it.

    Attributes:
        top: the folder with the working tree, or the repository itself if it is a bare one.
        shallow: the commits whose parents a shallow clone left out.
        lacking: what a partial clone left out, or must not be read again because git waits for it, in git's words
            ("blob:none", "tree:0"); empty: nothing.

    Raises:
        GitError: git is not installed, or there is no repository that it would read.
        GitStalledError: git does not answer; so do all methods.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._directory: str | None = None
        if not folder.is_dir():
            raise GitError(f"{folder} is no folder: expected a git repository")
        above = (path / ".git" for path in (folder, *folder.absolute().parents))
        _check_files(next(filter(os.path.exists, above), folder))
        try:
            bare = self.line("rev-parse", "--is-bare-repository") == "true"
            directory = self.line("rev-parse", "--absolute-git-dir")
            # As git was told its folder, it spells it.
            self.top = real_path(directory if bare else self.line("rev-parse", "--show-toplevel"))
        except GitError as error:
            raise _no_repository(folder, error) from error
        # From here on git knows of no working tree: a commit is the same whatever lies there.
        self._directory = directory
        _check_files(Path(directory))
        _check_files(Path(directory, self.line("rev-parse", "--git-common-dir")))
        # Both say where the history is incomplete, which must not look like commits that are gone.
        path = Path(directory, self.line("rev-parse", "--git-path", "shallow"))
        try:
            shallow = read_regular(path, _SHALLOW)[0]
        except OSError:
            shallow = b""
        self.shallow = frozenset(shallow.decode(errors="replace").split())
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
        return b"".join(self._output(arguments)).decode(errors="replace")

    def line(self, *arguments: str) -> str:
        """The line that a command prints, without its end.

        Raises:
            GitError: as `text`.
        """
        return self.text(*arguments).removesuffix("\n")

    def ids(self, *arguments: str) -> tuple[list[str], str]:
        """The ids that a command prints, one a line, as far as it comes, and what stopped it: empty if nothing did."""
        chunks: list[bytes] = []
        problem = ""
        try:
            chunks.extend(self._output(arguments))
        except GitError as error:
            problem = str(error)
        return b"".join(chunks).decode(errors="replace").split(), problem

    def fields(self, *arguments: str, given: Iterable[str] = (), most: int) -> Generator[bytes]:
        """What a command prints between NUL bytes, as it comes; the last field has a NUL after it, too.

        Args:
            arguments: the command.
            given: lines for its standard input.
            most: how many bytes of a field are wanted; a longer one has one more.

        Raises:
            GitError: as `text`, after the fields that came before the failure.
        """
        field = b""
        for chunk in self._output(arguments, "".join(f"{line}\n" for line in given)):
            first, *others = chunk.split(b"\0")
            field = (field + first)[: most + 1]
            for other in others:
                yield field
                field = other[: most + 1]
        if field:
            yield field

    def _output(self, arguments: tuple[str, ...], given: str = "") -> Iterator[bytes]:
        """What a command prints, in chunks."""
        settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        stall = QUICK_STALL if arguments[0] in _QUICK else STALL
        # Files hold any amount of input and of complaints: a pipe that nobody empties would stop git.
        with (
            tempfile.TemporaryDirectory() as empty,
            tempfile.TemporaryFile() as stdin,
            tempfile.TemporaryFile() as said,
        ):
            known = self._directory
            where = ["-C", empty, f"--git-dir={known}"] if known else ["-C", str(self._folder)]
            command = ["git", *where, *_OPTIONS, *settings, *arguments]
            stdin.write(given.encode())
            stdin.seek(0)
            try:
                process = subprocess.Popen(
                    command, stdin=stdin, stdout=subprocess.PIPE, stderr=said, env=_environment()
                )
            except FileNotFoundError as error:
                raise GitError(
                    "git was not found on PATH: install it (https://git-scm.com) to load a history"
                ) from error
            with process, _ended(process):
                descriptor = process.stdout.fileno() if process.stdout else -1
                is_readable = _waiting(descriptor, stall)
                while True:
                    if not is_readable():
                        raise GitStalledError(arguments[0], self._folder, stall)
                    chunk = os.read(descriptor, _CHUNK)
                    if not chunk:
                        break
                    yield chunk
                failed = process.wait()
            if failed:
                said.seek(0)
                problem = said.read(_COMPLAINT).decode(errors="replace").strip()
                raise GitError(
                    f"git {arguments[0]} failed in {self._folder}: {problem or f'exit code {failed}'}"
                )


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Nobody waits for what git still has to say when its answer is not wanted any more."""
    try:
        yield
    finally:
        if process.poll() is None:
            process.kill()


def _check_files(directory: Path) -> None:
    """See that git will not wait for a pipe, or read a device.

    Raises:
        GitError: something that git reads is no regular file.
    """
    for name in _READ_WHOLE:
        path = directory / name
        with suppress(OSError):
            if not stat.S_ISREG(path.stat().st_mode):
                raise GitError(
                    f"{path} is no regular file, which git expects: nothing was loaded; remove it"
                )


def _waiting(descriptor: int, stall: int) -> Callable[[], bool]:
    """What waits until there is something to read, but for `stall` seconds at most, and says whether there is."""
    if not hasattr(select, "poll"):  # Windows
        return lambda: True
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return lambda: bool(poll.poll(stall * 1000))


def _environment() -> dict[str, str]:
    """Ours without what would point git elsewhere (hooks set such variables), and without a network.

    A partial clone would otherwise fetch what is missing, by a command that its configuration names.
    """
    ours = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith("GIT_") or name in _KEPT
    }
    fixed = {
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_ATTR_NOSYSTEM": "1",
    }
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
