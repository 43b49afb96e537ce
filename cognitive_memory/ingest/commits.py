"""Commits, read from git."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from cognitive_memory.ingest.errors import GitError, GitStalledError
from cognitive_memory.ingest.git_command import Git
from cognitive_memory.ingest.moments import moment_at

_FIELDS = ("%H", "%P", "%an", "%at", "%B")
_HASH = re.compile(rb"(?:[0-9a-f]{40}|[0-9a-f]{64})")
_MOST_FILES = 10_000
_LONGEST = 100_000
"""Bytes of a message, or of anything else that git says, that are read."""
_PLAIN = (
    f"-O{os.devnull} --no-abbrev --no-ext-diff --no-textconv --no-color --no-notes --no-mailmap "
    "--no-show-signature --no-decorate --ignore-submodules=none"
)
"""What keeps settings of the repository from changing the form of the output."""
_MERGE = re.compile(
    r"Merge (?:branch|branches|remote-tracking branch|tag|pull request|commit)\b.*", re.IGNORECASE
)
_UNKNOWN = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A file that a commit changed.

    Attributes:
        path: its path after the commit, or before it if it was removed.
        status: git's letter: A added, M changed, D removed, R renamed, C copied, T of another type.
        before: its path before, if it was renamed or copied.
        lines: how many lines were added and removed; None if that is not known.
        binary: whether it is no text.
    """

    path: str
    status: str
    before: str | None = None
    lines: tuple[int, int] | None = None
    binary: bool = False


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit.

    Attributes:
        sha: its full id.
        parents: theirs.
        author: the author's name.
        when: when it was written.
        message: subject and body.
        files: what it changed, against its only parent; none for a merge.
        more_files: how many others it changed: of more than a reader could look at nothing is kept.
        is_cut: whether the message was longer.
    """

    sha: str
    parents: tuple[str, ...]
    author: str
    when: datetime
    message: str
    files: tuple[ChangedFile, ...] = ()
    more_files: int = 0
    is_cut: bool = False

    @property
    def says_nothing(self) -> bool:
        """Whether it is a merge whose message is only the one that git wrote."""
        lines = [
            line
            for line in self.message.splitlines()
            if line.strip() and not line.startswith(("#", "* ", "Conflicts:"))
        ]
        return (
            len(self.parents) > 1
            and len(lines) <= 1
            and (not lines or _MERGE.fullmatch(lines[0]) is not None)
        )


def read_commits(git: Git, shas: Sequence[str], problems: list[str]) -> Iterator[Commit]:
    """Read commits, in the order of `shas`.

    What a partial clone lacks is not fetched: without files' contents only exact renames are found and no lines counted;
    without folders' contents it is not known which files changed. So it is, too, with a commit of which git can't read more,
    and with all that follow once git waited for something; one that it can't read at all is left out.

    Args:
        git: the repository's.
        shas: full ids.
        problems: gets a sentence for each commit of which something could not be read.
    """
    waiting = [shas] if shas else []
    while waiting:
        part, done, details = waiting.pop(), 0, _details(git)
        try:
            for commit in _log(git, part, details[0]):
                done += 1
                yield commit
        except GitStalledError as error:
            # What it waits for is mostly the content of one file: there may be many commits that it would wait for.
            if len(details) == 1:
                raise
            git.lacking = "tree:0" if git.lacking else "blob:none"
            waiting.append(part[done:])
            problems.append(f"not all that commits changed is told, from here on: {error}")
        except GitError as error:
            rest = part[done:]
            if len(rest) == 1:
                yield from _in_less_detail(git, rest[0], details[1:], str(error), problems)
            else:
                # git fails at the first one that it did not print, or, of some errors, before it prints any.
                middle = 1 if done else len(rest) // 2
                waiting += [rest[middle:], rest[:middle]]


def _details(git: Git) -> Sequence[Sequence[str]]:
    """What is asked about a commit's changes, and then what needs less of the repository."""
    # --raw tells how a file changed, --numstat by how much: git prints them one after the other.
    every = [
        ["--raw", "--numstat", "--find-renames"],
        ["--raw", "--find-renames=100%"],
        ["--no-patch"],
    ]
    if not git.lacking:
        return every
    return every[2:] if git.lacking.startswith("tree:") else every[1:]


def _in_less_detail(
    git: Git, sha: str, details: Sequence[Sequence[str]], problem: str, problems: list[str]
) -> Iterator[Commit]:
    for changes in details:
        try:
            (commit,) = _log(git, [sha], changes)
        except GitError:
            continue
        problems.append(f"commit {sha[:10]}: not all that it changed could be read ({problem})")
        yield commit
        return
    problems.append(f"commit {sha[:10]} could not be read, and was left out ({problem})")


def _log(git: Git, shas: Sequence[str], changes: Sequence[str]) -> Iterator[Commit]:
    form = f"--format=tformat:{'%x00'.join(_FIELDS)}%x00"
    command = ("log", "--stdin", "--no-walk=unsorted", "-z", form, *changes, *_PLAIN.split())
    return _parse(git.fields(*command, given=shas, most=_LONGEST))


def _parse(fields: Iterator[bytes]) -> Iterator[Commit]:
    """A commit is its fields, an empty one, and what it changed; no field can hold a NUL, so nothing can be forged."""
    field = next(fields, None)
    while field is not None:
        sha, parents, author, seconds, message = (field, *(next(fields) for _ in _FIELDS[1:]))
        next(fields, None)  # the empty one between a commit and its changes
        files: dict[str, ChangedFile] = {}
        left_out = 0
        field = next(fields, None)
        while field is not None and not _HASH.fullmatch(field):
            left_out += _read_change(field.removeprefix(b"\n"), fields, files)
            field = next(fields, None)
        yield Commit(
            sha=_text(sha),
            parents=tuple(_text(parents).split()),
            author=_text(author),
            when=moment_at(_text(seconds)) or _UNKNOWN,
            message=_text(message[:_LONGEST]).strip(),
            files=tuple(files.values()),
            more_files=left_out,
            is_cut=len(message) > _LONGEST,
        )


def _read_change(field: bytes, fields: Iterator[bytes], files: dict[str, ChangedFile]) -> int:
    """Read what is said of a file; 1 if it is one file too many, else 0."""
    if field.startswith(b":"):
        status = _text(field.rsplit(b" ", 1)[1])[:1]
        path = _text(next(fields))
        before = path if status in "RC" else None
        path = _text(next(fields)) if before is not None else path
        if len(files) == _MOST_FILES:
            return 1
        files[path] = ChangedFile(path, status, before)
        return 0
    added, removed, name = field.split(b"\t", 2)
    if not name:  # a rename: both names follow
        next(fields)
        name = next(fields)
    path = _text(name)
    if path in files:
        lines = None if added == b"-" else (int(added), int(removed))
        files[path] = replace(files[path], binary=lines is None, lines=lines)
    return 0


def _text(field: bytes) -> str:
    return field.decode(errors="replace")
