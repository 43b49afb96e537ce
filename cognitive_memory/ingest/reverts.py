"""What commits take back, told with the message of what they revert."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from itertools import pairwise

from cognitive_memory.core.batches import batched
from cognitive_memory.ingest.commits import Commit
from cognitive_memory.ingest.errors import GitError
from cognitive_memory.ingest.git_command import Git

_REVERTS = re.compile(r"^This reverts commit ([0-9a-f]{7,64})\b", re.MULTILINE)
"""What `git revert` writes."""
_MOST = 1_000
"""Characters of the message that is reverted: the reasons come first."""
_AT_ONCE = 32
"""Commits that are looked at together: git is asked once for all of them, and each may have changed
thousands of files.
"""


def with_reverted(git: Git, commits: Iterable[Commit]) -> Iterator[Commit]:
    """The commits; one that reverts another has that one's message after its own, as far as git knows it.

    `git revert` writes the subject alone, so that nobody who asks for what was taken back would find
    why it had been done.
    """
    for some in batched(commits, _AT_ONCE):
        named = {
            commit.sha: match[1] for commit in some if (match := _REVERTS.search(commit.message))
        }
        messages = _messages(git, set(named.values())) if named else {}
        for commit in some:
            told = _told(commit.message, messages.get(named.get(commit.sha, ""), ""))
            yield replace(commit, message=told)


def _told(message: str, reverted: str) -> str:
    subject, _, body = reverted.partition("\n")
    said = body.strip() if subject in message else reverted
    return f"{message}\n\nThe reverted commit said:\n\n{said[:_MOST]}" if said else message


def _messages(git: Git, names: Collection[str]) -> dict[str, str]:
    """The messages of commits, by their ids as they were given; what is not there is left out."""
    command = ("rev-list", "--no-walk", "--ignore-missing", "--format=%H%x00%B%x00")
    try:
        fields = list(git.fields(*command, *sorted(names), "--", most=4 * _MOST))
    except GitError:  # what reverts is loaded all the same
        return {}
    # An id comes at the end of its field, and its message after it.
    told = {
        one.rsplit(b"\n", 1)[-1].decode(): other.decode(errors="replace").strip()
        for one, other in list(pairwise(fields))[::2]
    }
    return {name: told[sha] for name in names for sha in told if sha.startswith(name)}
