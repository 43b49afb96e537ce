"""The files below some paths that may be loaded."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from cognitive_memory.ingest.errors import PathNotFoundError
from cognitive_memory.ingest.generated import Attributes
from cognitive_memory.ingest.ignoring import NEVER, Ignoring
from cognitive_memory.ingest.languages import kind_of
from cognitive_memory.ingest.office import can_read
from cognitive_memory.ingest.rules import Rules
from cognitive_memory.project.real_path import real_path
from cognitive_memory.project.settings import IngestSettings

MAX_SIZE = 1_000_000
"""Bytes of the largest file that is loaded unless another limit is given: what people write is smaller."""

EVERYTHING = IngestSettings()
"""The selection of a project that says nothing."""


class Reason(StrEnum):
    """Why a file was not loaded."""

    IGNORED = "ignored"
    UNSUPPORTED = "unsupported"
    GENERATED = "generated"
    VENDORED = "vendored"
    LINK = "link"
    TOO_LARGE = "too large"
    NAME = "name"
    UNREADABLE = "unreadable"
    BINARY = "binary"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to load.

    Attributes:
        source: its path from the project's root, or its absolute path if it is elsewhere, with "/".
        asked: whether it was named itself, so that its name's kind and ignore rules do not matter.
    """

    path: Path
    source: str
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file or folder that is not loaded.

    Attributes:
        detail: a sentence for whoever wonders; empty where the reason says it all.
    """

    source: str
    reason: Reason
    detail: str = ""


@dataclass(slots=True)
class Walk:
    """What there is below the paths.

    Attributes:
        files: in the order of their names, each once.
        skipped: files and folders that are left out; what is in an ignored folder is not looked at.
        roots: the folders that were walked, as sources; "" is the project's root.
        notes: what is not as it should be, in sentences.
    """

    files: list[SourceFile] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    roots: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def walk(paths: Sequence[Path], project: Path, selection: IngestSettings = EVERYTHING) -> Walk:
    """Look for files below paths.

    Links are not followed, except where a path itself is one: what they lead to is loaded where it really is, and a
    stranger's repository can't point to the user's other files.

    Args:
        paths: files and folders.
        project: the project's root.
        selection: which of the files in folders, by patterns from the project's root, whatever the ignore files say; a file
            that is named itself is always wanted.

    Raises:
        PathNotFoundError: one of the paths is not there, or is neither a file nor a folder.
    """
    walker = _Walker(real_path(project), selection)
    for path in paths:
        walker.visit(path)
    seen = walker.seen
    # In the order of their names, folder by folder; of a file that was both named and walked past, the name counts.
    files = {file.source: file for file in sorted(seen.files, key=lambda file: file.asked)}
    seen.files = sorted(files.values(), key=_place)
    seen.skipped.sort(key=_place)
    seen.notes = list(dict.fromkeys(seen.notes))
    return seen


def _place(each: SourceFile | Skipped) -> list[str]:
    return each.source.split("/")


def source_of(path: Path, project: Path) -> str:
    """How the memories of a file name it.

    Args:
        path: absolute and without links, as is `project`.
    """
    try:
        relative = path.relative_to(project)
    except ValueError:
        return path.as_posix()
    return "" if relative == Path() else relative.as_posix()


class _Walker:
    def __init__(self, project: Path, selection: IngestSettings) -> None:
        self._project = project
        self._include = Rules.of(selection.include)
        self._exclude = Rules.of(selection.exclude)
        self._base = project
        self.seen = Walk()

    def visit(self, path: Path) -> None:
        try:
            real = real_path(path.resolve(strict=True))
            mode = real.stat().st_mode
        except (OSError, RuntimeError) as error:
            # RuntimeError: Python 3.11 and 3.12 say so of a loop of links
            raise PathNotFoundError(path, getattr(error, "strerror", None) or str(error)) from error
        source = source_of(real, self._project)
        if stat.S_ISDIR(mode):
            self.seen.roots.append(source)
            self._base = self._project if real.is_relative_to(self._project) else real
            self._walk(real)
        elif stat.S_ISREG(mode):
            self._keep(real, source, asked=True)
        else:
            raise PathNotFoundError(path, "it is neither a file nor a folder")

    def _walk(self, folder: Path) -> None:
        waiting = [(folder, Ignoring.at(folder), Attributes.at(folder))]
        while waiting:  # not by recursion: folders may be nested deeper than calls may be
            waiting += self._folder(*waiting.pop())

    def _folder(
        self, folder: Path, rules: Ignoring, attributes: Attributes
    ) -> Iterator[tuple[Path, Ignoring, Attributes]]:
        """Look at what is in a folder; yields the folders in it that are to be looked into."""
        self.seen.notes += rules.problems
        try:
            entries = list(os.scandir(folder))
        except OSError as error:
            self._skip(folder, Reason.UNREADABLE, f"could not be read ({error.strerror})")
            return
        for entry in entries:
            path = folder / entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            # What a rule leaves out counts as ignored, also where it is a link.
            if rules.ignores(path, is_folder=is_folder) or not self._wants(
                path, is_folder=is_folder
            ):
                if entry.name not in NEVER:
                    self._skip(path, Reason.IGNORED)
            elif entry.is_symlink():
                self._skip(path, Reason.LINK)
            elif is_folder:
                yield path, rules.below(path), attributes.below(path)
            elif not entry.is_file(follow_symlinks=False):
                self._skip(path, Reason.UNSUPPORTED)
            elif (kind := attributes.kind(path)) and not rules.wants(path):
                self._skip(path, Reason(kind))
            elif (form := kind_of(entry.name)) is None or not can_read(form):
                self._skip(path, Reason.UNSUPPORTED)
            else:
                self._keep(path, source_of(path, self._project), asked=False)

    def _wants(self, path: Path, *, is_folder: bool) -> bool:
        name = path.relative_to(self._base).as_posix() + "/" * is_folder
        if self._exclude.verdict_below(name):
            return False
        return is_folder or not self._include or bool(self._include.verdict_below(name))

    def _keep(self, path: Path, source: str, *, asked: bool) -> None:
        try:  # names are bytes on Linux, and a source is stored as text
            source.encode()
        except UnicodeEncodeError:
            self._skip(path, Reason.NAME, "has a name that is not UTF-8: rename it to load it")
        else:
            self.seen.files.append(SourceFile(path, source, asked))

    def _skip(self, path: Path, reason: Reason, detail: str = "") -> None:
        source = os.fsencode(source_of(path, self._project)).decode(errors="replace")
        self.seen.skipped.append(Skipped(source, reason, detail and f"{source or path} {detail}"))
