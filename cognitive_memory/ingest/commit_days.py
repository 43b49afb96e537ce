"""When files were last changed, as git knows it."""

from __future__ import annotations

import re
from collections.abc import Collection
from contextlib import closing
from datetime import datetime
from pathlib import Path

from cognitive_memory.ingest.errors import IngestError
from cognitive_memory.ingest.git_command import Git
from cognitive_memory.ingest.moments import moment_at

_COMMITS = 50_000
"""Newest commits that are looked through: what is older than these has no day that would count as recent."""
_COMMIT = re.compile(rb"[0-9a-f]{40,64} (\d{1,11})")
_LONGEST = 10_000


def last_commits(project: Path, sources: Collection[str]) -> dict[str, datetime]:
    """When files were committed last, from one walk of git's through the history that ends with the last of them.

    Args:
        project: a folder in a repository's working tree, or in none.
        sources: the files' paths from there, with "/".

    Returns:
        The times of those that the newest commits changed; none where git can't say.
    """
    try:
        return _last_commits(Git(project), project, sources)
    except IngestError:
        return {}


def _last_commits(git: Git, project: Path, sources: Collection[str]) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    if git.lacking.startswith("tree:") or not project.is_relative_to(git.top):
        return found
    prefix = project.relative_to(git.top).as_posix()
    prefix = "" if prefix == "." else f"{prefix}/"
    # Only of these does the history know anything: for others it would be read to its end.
    tracked = git.fields("ls-tree", "-r", "-z", "--name-only", "HEAD", most=_LONGEST)
    wanted = {f"{prefix}{source}".encode(errors="surrogateescape"): source for source in sources}
    missing = wanted.keys() & set(tracked)
    if not missing:
        return found
    log = git.fields(
        *(
            "log",
            "-z",
            "--format=tformat:%H %at",
            "--name-only",
            "--no-renames",
            "--no-show-signature",
        ),
        *("--no-notes", "--no-color", f"--max-count={_COMMITS}", "HEAD"),
        most=_LONGEST,
    )
    moment: datetime | None = None
    with closing(log):  # ends git, too
        for field in log:
            if commit := _COMMIT.fullmatch(field):
                moment = moment_at(int(commit[1]))
            elif (name := field.removeprefix(b"\n")) in missing and moment is not None:
                found[wanted[name]] = moment
                missing.remove(name)
                if not missing:
                    break
    return found
