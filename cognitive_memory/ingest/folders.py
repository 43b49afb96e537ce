"""Loading files and folders: only what changed since it was loaded last, file by file."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from pathlib import Path, PurePath

from cognitive_memory.core.memory import LoadState, Memory
from cognitive_memory.core.recall import RecallFilter
from cognitive_memory.core.reports import OnProgress, SourceReport
from cognitive_memory.ingest.commit_days import last_commits
from cognitive_memory.ingest.documents import VERSION, Document, read_document
from cognitive_memory.ingest.errors import UnreadableError
from cognitive_memory.ingest.generated import is_generated
from cognitive_memory.ingest.languages import Kind
from cognitive_memory.ingest.moments import moment_at
from cognitive_memory.ingest.reports import LoadReport, silent
from cognitive_memory.ingest.walking import (
    EVERYTHING,
    MAX_SIZE,
    Reason,
    Skipped,
    SourceFile,
    Walk,
    source_of,
    walk,
)
from cognitive_memory.project.real_path import real_path
from cognitive_memory.project.settings import IngestSettings
from cognitive_memory.project_memory import ProjectMemory
from heimdall.models.regular_file import read_regular

_SETTLED = 2_000_000_000
"""Nanoseconds after its last change at which a file's time stamp is trusted: the coarsest filesystems count in two seconds
(git calls a younger entry racily clean)."""
_REMEMBERED_AT_ONCE = 100
_KIND = "file"
_log = logging.getLogger(__name__)
_CONTENT = ("sha256", "way")
"""What says that the same memories would be made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOptions:
    """How files are loaded.

    Attributes:
        tags: for every memory.
        max_size: bytes of the largest file that is loaded.
        dry_run: find out what would be done, and change nothing.
        force: load also what has not changed.
        selection: which files of folders.
    """

    tags: tuple[str, ...] = ()
    max_size: int = MAX_SIZE
    dry_run: bool = False
    force: bool = False
    selection: IngestSettings = EVERYTHING


def load_paths(
    memory: ProjectMemory,
    paths: Sequence[Path],
    project: Path,
    options: LoadOptions = LoadOptions(),
    progress: OnProgress = silent,
) -> LoadReport:
    """Make the memories of files be what the files say now.

    A file that changed gets its memories replaced; those of a file that is gone, from below the folders that are loaded,
    are removed; what did not change is not even read. Each file is done or not: interrupted, the next call goes on.
    Vectors are left to `embed_pending`, which makes those of many files together.

    Args:
        memory: the project's memory.
        paths: files and folders.
        project: the project's root.
        options: how.
        progress: told how many of how many files are done.

    Raises:
        PathNotFoundError: one of the paths is not there; nothing was changed.
    """
    return _Load(memory, real_path(project), options).run(paths, progress)


class _Load:
    def __init__(self, memory: ProjectMemory, project: Path, options: LoadOptions) -> None:
        self._memory = memory
        self._project = project
        self._options = options
        with memory.storage.reading() as reader:
            states = reader.load_states()
        self._known = {
            source: state for source, state in states.items() if state.get("kind") == _KIND
        }
        self._learned: dict[str, LoadState | None] = {}
        # Other tags or another version of the reader make other memories of the same bytes.
        self._way = f"{VERSION} {sorted(options.tags)}"
        self._report = LoadReport(dry_run=options.dry_run)
        self._kept: set[str] = set()
        self._files: Sequence[SourceFile] = ()

    def run(self, paths: Sequence[Path], progress: OnProgress) -> LoadReport:
        seen = walk(paths, self._project, self._options.selection)
        files = [*seen.files, *self._asked_before(seen)]
        self._report.notes += seen.notes
        for skipped in seen.skipped:
            self._skip(skipped)
        if missed := self._report.unsupported.keys() & {Kind.DOCX, Kind.PDF}:
            kinds = " and ".join(sorted(missed))
            self._report.notes.append(
                f"{kinds} files were left out: pip install 'heimdall-mcp[documents]' to read them"
            )
        self._files = files
        progress(0, len(files))
        # Also after Ctrl-C or an error, so that what was done is not done again.
        try:
            for number, file in enumerate(files, start=1):
                self._file(file)
                progress(number, len(files))
            for source in self._gone(seen.roots, files):
                self._remove(source)
        finally:
            self._remember()
        return self._report

    def _asked_before(self, seen: Walk) -> list[SourceFile]:
        """Files in the folders that the user named themselves once, although a walk passes them over."""
        there = {file.source for file in seen.files}
        return [
            SourceFile(path, source, asked=True)
            for source, state in self._known.items()
            if state.get("asked") and source not in there and _below(source, seen.roots)
            if (path := self._path_of(source)) is not None
        ]

    def _path_of(self, source: str) -> Path | None:
        """The file that a source names, if it is there and no other source would name it.

        Sources come from the database. One with `..` or a link in it, which no walk ever made, could name any file of the
        user's; it counts as gone.
        """
        path = self._project / source
        if not path.is_file():
            return None
        if source_of(real_path(path), self._project) != source:
            _log.warning("%r is not loaded again: it leads elsewhere", source)
            return None
        return path

    def _file(self, file: SourceFile) -> None:
        before = self._known.get(file.source)
        try:
            status = file.path.stat()
            # Size and time first: a whole project is looked through without reading a file.
            if before is not None and self._is_as_before(before, status):
                self._report.unchanged.append(file.source)
                return
            content, status = read_regular(file.path, self._options.max_size)
        except OSError as error:
            detail = f"{file.source} could not be read ({error.strerror}); what was loaded of it before is kept"
            self._skip(Skipped(file.source, Reason.UNREADABLE, detail))
            return
        if len(content) > self._options.max_size:
            size = max(status.st_size, len(content))
            detail = f"{file.source} has {size:,} bytes, more than the {self._options.max_size:,} allowed"
            self._leave_out(Skipped(file.source, Reason.TOO_LARGE, detail))
            return
        if not file.asked and is_generated(file.source, content):
            self._leave_out(Skipped(file.source, Reason.GENERATED))
            return
        state = self._state(file, status, content)
        # Git gives files new times when a branch is changed and back; their bytes tell.
        same = before is not None and all(before.get(name) == state[name] for name in _CONTENT)
        if same and not self._options.force:
            self._learn(file.source, state)
            self._report.unchanged.append(file.source)
            return
        try:
            written = self._committed.get(file.source) or moment_at(status.st_mtime)
            document = read_document(file.source, content, tags=self._options.tags, written=written)
        except UnreadableError as error:
            detail = f"{error}; what was loaded of it before is kept"
            self._skip(Skipped(file.source, Reason.UNREADABLE, detail))
            return
        if document is None:
            self._leave_out(Skipped(file.source, Reason.BINARY))
            return
        # In this order: killed between the two, the file is loaded again, and nothing is lost.
        self._store(file.source, document)
        self._learn(file.source, state)

    @cached_property
    def _committed(self) -> dict[str, datetime]:
        """When the files that may have changed were committed last; asked for once, with the first of them."""
        changed = []
        for file in self._files:
            before = self._known.get(file.source)
            with suppress(OSError):
                if before is None or not self._is_as_before(before, file.path.stat()):
                    changed.append(file.source)
        return last_commits(self._project, changed)

    def _is_as_before(self, before: LoadState, status: os.stat_result) -> bool:
        same = before.get("size") == status.st_size and before.get("mtime_ns") == status.st_mtime_ns
        return same and before.get("way") == self._way and not self._options.force

    def _state(self, file: SourceFile, status: os.stat_result, content: bytes) -> LoadState:
        # Written again within the clock's step, a file would have the same time and other bytes.
        settled = status.st_mtime_ns < time.time_ns() - _SETTLED
        return {
            "kind": _KIND,
            "size": status.st_size,
            "mtime_ns": status.st_mtime_ns if settled else None,
            "sha256": sha256(content).hexdigest(),
            "way": self._way,
            "asked": file.asked or bool(self._known.get(file.source, {}).get("asked")),
        }

    def _store(self, source: str, document: Document) -> None:
        self._report.add(source, document)
        if self._options.dry_run:
            self._report.memories.count(self._would_replace(source, document))
        else:
            # Vectors are made afterwards, in large batches.
            with self._memory.storage.writing() as writer:
                self._report.memories.count(writer.replace_source(source, document.memories))

    def _would_replace(self, source: str, document: Document) -> SourceReport:
        before = {memory.id for memory in self._of(source)}
        after = {memory.id for memory in document.memories}
        return SourceReport(
            added=len(after - before), unchanged=len(after & before), removed=len(before - after)
        )

    def _of(self, source: str) -> list[Memory]:
        # The filter also takes what is below a source, as the files of a folder.
        below = self._memory.memories(RecallFilter(sources=frozenset({source})))
        return [memory for memory in below if memory.source == source]

    def _gone(self, roots: Sequence[str], files: Sequence[SourceFile]) -> list[str]:
        """Loaded files below the roots that are not there any more, or are left out now."""
        there = {file.source for file in files}
        # Of what can't be read now it is not known whether it is gone.
        kept = tuple(self._kept)
        return [
            source
            for source in self._known
            if source not in there and _below(source, roots) and not _below(source, kept)
        ]

    def _remove(self, source: str) -> None:
        self._report.removed.append(source)
        if self._options.dry_run:
            self._report.memories.removed += len(self._of(source))
        else:
            with self._memory.storage.writing() as writer:
                writer.set_load_states({source: None})
                self._report.memories.removed += writer.replace_source(source, ()).removed
            self._learn(source, None)

    def _leave_out(self, skipped: Skipped) -> None:
        """Skip a file that may have been loaded when it was different."""
        self._skip(skipped)
        if skipped.source in self._known:
            self._remove(skipped.source)

    def _skip(self, skipped: Skipped) -> None:
        self._report.skip(skipped)
        if skipped.reason is Reason.UNREADABLE:
            self._kept.add(skipped.source)

    def _learn(self, source: str, state: LoadState | None) -> None:
        self._learned[source] = state
        if len(self._learned) >= _REMEMBERED_AT_ONCE:
            self._remember()

    def _remember(self) -> None:
        if self._learned and not self._options.dry_run:
            with self._memory.storage.writing() as writer:
                writer.set_load_states(self._learned)
        self._learned = {}


def _below(source: str, roots: Sequence[str]) -> bool:
    """Whether a source is one of the folders or in one; "" is the project, to which relative paths belong."""
    return any(
        PurePath(source).is_relative_to(root) if root else not PurePath(source).is_absolute()
        for root in roots
    )
