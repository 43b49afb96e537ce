"""Loading a repository's history: only commits that are not loaded yet, and none that are gone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cognitive_memory.core.memory import LoadState, NewMemory
from cognitive_memory.core.recall import RecallFilter
from cognitive_memory.core.reports import OnProgress
from cognitive_memory.core.values import Json
from cognitive_memory.ingest.commit_memories import memories_of
from cognitive_memory.ingest.commits import Commit, read_commits
from cognitive_memory.ingest.documents import VERSION
from cognitive_memory.ingest.errors import GitError
from cognitive_memory.ingest.git_command import Git
from cognitive_memory.ingest.reports import GitReport, silent
from cognitive_memory.ingest.reverts import with_reverted
from cognitive_memory.ingest.walking import source_of
from cognitive_memory.project.real_path import real_path
from cognitive_memory.project_memory import ProjectMemory

OWN_SOURCE = "git:history"
"""What the memories of the project's own repository come from; those of another are below it, by its path."""

_BATCH = 512
_KIND = "git"
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SINCE = re.compile(
    r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:?\d{2})?)?|\d+[ .](day|week|month|year)s?[ .]ago"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GitOptions:
    """Which commits are loaded, and how.

    Attributes:
        branch: a branch, tag or commit; None: what is checked out.
        since: a date or "3 months ago": nothing older is read.
        max_commits: how many of the newest are read at most.
        tags: for every memory.
        dry_run: find out what would be done, and change nothing.

    Raises:
        GitError: `since` is neither; git would silently take it for today.
    """

    branch: str | None = None
    since: str | None = None
    max_commits: int | None = None
    tags: tuple[str, ...] = ()
    dry_run: bool = False

    def __post_init__(self) -> None:
        if self.since is not None and not _SINCE.fullmatch(self.since):
            raise GitError(
                f"since {self.since!r}: expected a date such as 2025-12-31, or '3 months ago'"
            )


def load_history(
    memory: ProjectMemory,
    repository: Path,
    project: Path,
    options: GitOptions = GitOptions(),
    progress: OnProgress = silent,
) -> GitReport:
    """Make memories of a repository's commits.

    A commit is loaded once: its id is that of its memories. After a rebase or a forced push, what no branch or tag reaches
    any more is removed. In a shallow clone nothing is removed, since it can't tell; its oldest commits, whose changes it does
    not know, are read again when it was deepened.

    Args:
        memory: the project's memory.
        repository: the repository, or a folder in it.
        project: the project's root.
        options: which commits.
        progress: told how many of how many commits are read.

    Raises:
        GitError: git is missing, there is no such repository or branch, or git failed. What was loaded stays.
    """
    git, source, project = Git(repository), OWN_SOURCE, real_path(project)
    if not project.is_relative_to(git.top):
        source += f"/{source_of(git.top, project).lstrip('/')}"
    return _Load(memory, git, source, options).run(progress)


class _Load:
    def __init__(self, memory: ProjectMemory, git: Git, source: str, options: GitOptions) -> None:
        self._memory = memory
        self._git = git
        self._source = source
        self._options = options
        self._report = GitReport(
            dry_run=options.dry_run, repository=source, branch=options.branch or "HEAD"
        )
        self._way = f"{VERSION} {sorted(options.tags)}"
        self._is_broken = False

    def run(self, progress: OnProgress) -> GitReport:
        tip = self._git.commit(self._options.branch)
        if tip is None:
            self._report.notes.append("the repository has no commits yet")
            return self._report
        self._report.tip = tip
        with self._memory.storage.reading() as reader:
            state = reader.load_states().get(self._source, {})
        loaded: dict[str, _Loaded] = {}
        # The usual case costs no look at what is stored: only what came after the last tip is read.
        if self._goes_on(state, tip):
            wanted = self._commits(tip, f"^{state['tip']}")
            self._report.known = int(str(state["commits"]))
        else:
            loaded = self._loaded()
            everything = self._commits(tip)
            again = state.get("way") != self._way
            wanted = [sha for sha in everything if again or not self._is_whole(sha, loaded)]
            self._forget(loaded, everything)
            self._report.known = (
                len(loaded) - len(loaded.keys() & set(wanted)) - self._report.forgotten
            )
        self._read(wanted, loaded, progress)
        # Last of all: a load that was killed is looked through in full by the next one.
        if not self._options.dry_run and not self._is_broken:
            commits = self._report.known + self._report.commits
            learned = {**self._terms(), "tip": tip, "commits": commits}
            with self._memory.storage.writing() as writer:
                writer.set_load_states({self._source: learned})
        return self._report

    def _terms(self) -> LoadState:
        """What must be as it was for a load to go on where the last one ended."""
        limits: list[Json] = [self._options.since, self._options.max_commits]
        return {
            "kind": _KIND,
            "way": self._way,
            "limits": limits,
            "shallow": list[Json](sorted(self._git.shallow)),
        }

    def _goes_on(self, state: LoadState, tip: str) -> bool:
        same = all(state.get(name) == value for name, value in self._terms().items())
        known, commits = state.get("tip"), state.get("commits")
        is_plain = isinstance(known, str) and _SHA.fullmatch(known) and isinstance(commits, int)
        return bool(same and is_plain) and self._git.is_ancestor(str(known), tip)

    def _commits(self, *range_: str) -> list[str]:
        limits = []
        if self._options.since is not None:
            limits.append(f"--since={self._options.since}")
        if self._options.max_commits is not None:
            limits.append(f"--max-count={self._options.max_commits}")
        commits, problem = self._git.ids("rev-list", *limits, *range_, "--")
        if problem and not commits:
            raise GitError(problem)
        if problem:
            self._is_broken = True
            self._report.notes.append(f"the history could be read only in part ({problem})")
        return commits

    def _loaded(self) -> dict[str, _Loaded]:
        loaded: dict[str, _Loaded] = {}
        for memory in self._memory.memories(RecallFilter(sources=frozenset({self._source}))):
            if memory.source == self._source:
                commit = loaded.setdefault(str(memory.metadata.get("commit")), _Loaded())
                commit.ids.append(memory.id)
                commit.parts = int(str(memory.metadata.get("parts", 1)))
                commit.shallow = bool(memory.metadata.get("shallow"))
        return loaded

    def _is_whole(self, sha: str, loaded: Mapping[str, _Loaded]) -> bool:
        """Whether nothing of a commit is missing: a kill may come between two of its parts."""
        commit = loaded.get(sha)
        if commit is None or len(commit.ids) != commit.parts:
            return False
        return not commit.shallow or sha in self._git.shallow

    def _forget(self, loaded: dict[str, _Loaded], reached: Iterable[str]) -> None:
        missing = loaded.keys() - set(reached)
        # What such a history does not reach may be there all the same.
        if not missing or self._git.shallow or self._is_broken:
            return
        gone = missing - set(self._git.text("rev-list", "--all", "HEAD", "--").split())
        self._report.forgotten = len(gone)
        ids = [memory_id for sha in gone for memory_id in loaded[sha].ids]
        self._report.memories.removed += len(ids)
        if ids and not self._options.dry_run:
            self._memory.delete(ids)

    def _read(
        self, wanted: Sequence[str], loaded: Mapping[str, _Loaded], progress: OnProgress
    ) -> None:
        progress(0, len(wanted))
        for start in range(0, len(wanted), _BATCH):
            batch = wanted[start : start + _BATCH]
            commits = read_commits(self._git, batch, self._report.notes)
            memories = list(self._memories(with_reverted(self._git, commits)))
            self._store(
                memories,
                {memory_id for sha in batch if sha in loaded for memory_id in loaded[sha].ids},
            )
            progress(start + len(batch), len(wanted))

    def _memories(self, commits: Iterable[Commit]) -> Iterator[NewMemory]:
        for commit in commits:
            if commit.says_nothing:
                self._report.merges += 1
                continue
            whole = commit.sha not in self._git.shallow
            try:
                made = memories_of(commit, self._source, tags=self._options.tags, whole=whole)
            except Exception as error:  # noqa: BLE001 (one commit must not end the load)
                problem = (
                    f"commit {commit.sha[:10]} could not be read, and was left out ({error!r})"
                )
                self._report.notes.append(problem)
                continue
            self._report.commits += 1
            if commit.is_cut:
                problem = (
                    f"commit {commit.sha[:10]}: only the beginning of its long message was loaded"
                )
                self._report.notes.append(problem)
            self._report.redacted += made.redacted
            yield from made.memories

    def _store(self, memories: Sequence[NewMemory], before: set[str]) -> None:
        after = {memory.id for memory in memories if memory.id is not None}
        if self._options.dry_run:
            self._report.memories.added += len(after - before)
            self._report.memories.updated += len(after & before)
            return
        self._report.memories.count(self._memory.store_many(memories, embed=False))
        if leftover := before - after:  # parts of a message that was cut otherwise before
            self._memory.delete(leftover)
            self._report.memories.removed += len(leftover)


@dataclass(slots=True)
class _Loaded:
    """What the memory has of a commit."""

    ids: list[str] = field(default_factory=list)
    parts: int = 1
    shallow: bool = False
