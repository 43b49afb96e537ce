"""What lies in a models directory: a sorted walk that hashes every file and refuses what is not a model file."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.files import sha256_of
from hatch_heimdall_models.packing_risks import code_problem
from hatch_heimdall_models.pin_rules import clashes, model_path_problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LFS_POINTER = b"version https://git-lfs"
IGNORED_NAMES = frozenset(
    {
        *(".git", ".gitattributes", ".gitignore", ".gitkeep", ".gitmodules", ".hg", ".svn"),
        *(".DS_Store", "Thumbs.db", "desktop.ini", "__pycache__", ".ipynb_checkpoints"),
        # What huggingface_hub keeps beside files that it downloads.
        *(".cache", ".huggingface"),
    }
)
"""Files and folders, at any depth, that are no part of a model."""


@dataclass(frozen=True, slots=True)
class HashedFile:
    """A file as it lies on disk: relative POSIX path, sha256, size in bytes."""

    path: str
    sha256: str
    size: int


def take_inventory(directory: Path) -> tuple[HashedFile, ...]:
    """Hash every file below `directory`, sorted by path.

    Empty when there is no such directory or no model in it.

    Raises:
        ModelBuildError: naming each empty file, Git LFS pointer, link that leaves the directory,
            special file and unusable name.
    """
    problems: list[str] = []
    files: list[HashedFile] = []
    top = Path(os.path.realpath(directory))
    for path in _walk(directory, problems):
        relative = path.relative_to(directory).as_posix()
        try:
            problem = model_path_problem(relative) or _content_problem(path, top)
            if not problem:
                files.append(HashedFile(relative, sha256_of(path), path.stat().st_size))
        except OSError as error:
            problem = f"can't be read: {error.strerror}"
        if problem:
            problems.append(f"{_shown(relative)} {problem}")
    problems += [problem for _, problem in clashes(file.path for file in files)]
    if problems:
        raise ModelBuildError(str(directory), problems)
    return tuple(sorted(files, key=lambda file: file.path))


def by_folder(files: Iterable[HashedFile], folders: Iterable[str]) -> dict[str, list[HashedFile]]:
    """The files of each folder, with their paths in it; those in none of them are under ''.

    Args:
        files: with distinct paths.
        folders: relative POSIX paths, none of them in another.
    """
    sorted_in: dict[str, list[HashedFile]] = {"": [], **{folder: [] for folder in folders}}
    for file in files:
        folder = next((name for name in sorted_in if name and file.path.startswith(f"{name}/")), "")
        sorted_in[folder].append(
            replace(file, path=file.path.removeprefix(f"{folder}/") if folder else file.path)
        )
    return sorted_in


def _walk(directory: Path, problems: list[str]) -> Iterator[Path]:
    def note(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            problems.append(f"{_shown(str(error.filename))} can't be read: {error.strerror}")

    for root, folders, names in os.walk(directory, onerror=note):
        folders[:] = [folder for folder in folders if not _is_ignored(folder)]
        # os.walk does not follow a linked folder, so its files would be missed in silence.
        names += [folder for folder in folders if Path(root, folder).is_symlink()]
        yield from (Path(root, name) for name in names if not _is_ignored(name))


def _is_ignored(name: str) -> bool:
    return name in IGNORED_NAMES or name.startswith("._")  # what macOS keeps beside a file on FAT


def _shown(path: str) -> str:
    """A path for people, also one whose bytes are no text."""
    return path.encode("utf-8", "backslashreplace").decode()


def _content_problem(path: Path, top: Path) -> str | None:
    # False for what leads nowhere, and for links that lead in a circle.
    if not path.exists():
        return "is not a regular file"
    target = path.resolve()
    if not target.is_relative_to(top):
        return f"is a link that leaves the directory, to {target}"
    if not target.is_file():
        return "is a link to a folder" if target.is_dir() else "is not a regular file"
    if target.stat().st_size == 0:
        # A package of data alone has an empty __init__.py.
        return code_problem(path.name) or "is empty"
    with target.open("rb") as stream:
        if stream.read(len(_LFS_POINTER)) == _LFS_POINTER:
            return "is a Git LFS pointer, not the file itself: run 'git lfs pull'"
    return None
