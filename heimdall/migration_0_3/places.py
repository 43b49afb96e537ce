"""Where earlier releases put things: in a project, in the home directory, on the machine."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from cognitive_memory.project.find import FOLDER, Project
from cognitive_memory.storage.errors import StorageError, explanation
from heimdall.cognitive_system import data_dirs
from heimdall.migration_0_3 import memories, models, settings
from heimdall.migration_0_3.boundary import is_within, left_outside
from heimdall.migration_0_3.original import is_original
from heimdall.migration_0_3.qdrant import QdrantFolder, recognise
from heimdall.migration_0_3.report import Step
from heimdall.migration_0_3.texts import read_yaml

_DATABASES = (
    ".heimdall/cognitive_memory.db",
    "data/cognitive_memory.db",
    ".heimdall-mcp/cognitive_memory.db",
    ".heimdall-mcp/data/cognitive_memory.db",
)
_QDRANT = (
    "tmp_qdrant_storage",
    "qdrant_storage",
    "qdrant_data",
    "data/qdrant",
    "data/tmp_qdrant_storage",
    ".heimdall/qdrant",
    ".heimdall/qdrant_storage",
    ".heimdall/tmp_qdrant_storage",
    ".heimdall-mcp/qdrant",
    ".heimdall-mcp/qdrant_storage",
    ".heimdall-mcp/tmp_qdrant_storage",
)
_MODELS = Path("data", "models")
_COMPOSE_FOLDERS = ("", ".heimdall", ".heimdall-mcp", "docker")
_COMPOSE_NAMES = ("docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml")


def model_folders(project: Project, tops: Sequence[Path]) -> list[Path]:
    """Folders of model files below `tops`, and each of these that is one and no project.

    What leads out of a top, or of the project around it, is not looked at.
    """
    folders = []
    for top in tops:
        folder = top / _MODELS
        if not _is_project(top) and models.looks_like_models(top):
            folders.append(top)
        elif (
            is_within(folder, boundary(project, top)) and folder.is_dir() and any(folder.iterdir())
        ):
            folders.append(folder)
    return folders


def databases(project: Project, tops: Sequence[Path] = ()) -> tuple[list[Path], dict[Path, str]]:
    """Databases of heimdall 0.3 that belong to a project: in its own place first, then below `tops`.

    Returns:
        The databases, and the files where those might be of which nobody can tell what they are,
        each with the reason.
    """
    candidates = [
        path
        for top in (project.root, *tops)
        for path in _database_candidates(project, top)
        if is_within(path, boundary(project, top))
    ]
    originals: list[Path] = []
    unreadable: dict[Path, str] = {}
    for path in _distinct((*candidates, *memories.kept_originals(project))):
        try:
            if path.is_file() and is_original(path):
                originals.append(path)
        except sqlite3.DatabaseError as error:
            unreadable[path] = f"{explanation(error, path).problem}; it was left as it is"
        except StorageError as error:
            unreadable[path] = f"{error.problem}; it was left as it is"
        except OSError as error:
            unreadable[path] = f"can't be read: {error.strerror}"
    return originals, unreadable


def qdrant_folders(project: Project, tops: Sequence[Path]) -> list[QdrantFolder]:
    """Qdrant's folders below `tops`, those that compose files mount, and each top that is one and no project.

    What leads out of a top, or of the project around it, is not looked at.
    """
    candidates: list[Path] = []
    for top in tops:
        within = boundary(project, top)
        candidates += [] if _is_project(top) else [top]
        candidates += [
            path
            for path in _qdrant_candidates(top, within)
            if is_within(path, within) and not is_within(within, path)
        ]
    folders = {folder.path: folder for path in candidates if (folder := recognise(path))}
    return [folders[path] for path in _distinct(folders)]


def outside(project: Project, tops: Sequence[Path]) -> Iterator[Step]:
    """What is named, or linked, where earlier releases left things, and is outside the project: it is left alone."""
    told: set[tuple[str, str]] = set()
    for top in tops:
        within = boundary(project, top)
        candidates = [("model", top / _MODELS)]
        candidates += [("memories", path) for path in _database_candidates(project, top)]
        candidates += [("qdrant", path) for path in _qdrant_candidates(top, within)]
        for kind, path in candidates:
            if not os.path.lexists(path) or is_within(path, within):
                continue
            if (place := (kind, os.path.realpath(path))) not in told:
                told.add(place)
                yield left_outside(kind, path, within)


def boundary(project: Project, top: Path) -> Path:
    """What is not left for anything below `top`: the project if that is around it, or `top` itself."""
    return project.root if is_within(top, project.root) else top


def older_shared_directories() -> list[Path]:
    """Where earlier releases kept the shared directory, if ours is elsewhere: they knew no `$HEIMDALL_DATA_DIR`."""
    import platformdirs

    home = Path(os.path.expanduser("~"))  # noqa: PTH111 (without a home nothing is found there)
    candidates = [
        home / ".heimdall-shared",
        home / "AppData" / "Local" / "heimdall",
        home / "Library" / "Application Support" / "heimdall",
        home / ".local" / "share" / "heimdall",
        Path(platformdirs.user_data_dir("heimdall", "heimdall-mcp")),
    ]
    current = data_dirs.get_heimdall_data_dir().resolve()
    return [path for path in _distinct(candidates) if path.is_dir() and path.resolve() != current]


def _is_project(top: Path) -> bool:
    """Whether it is more than a folder of files of one kind, which are copied and removed as one."""
    return any(os.path.lexists(top / name) for name in (FOLDER, ".git"))


def _distinct(paths: Iterable[Path]) -> list[Path]:
    """The first of each that lead to one place."""
    by_place: dict[str, Path] = {}
    for path in paths:
        by_place.setdefault(os.path.realpath(path), path)
    return list(by_place.values())


def _database_candidates(project: Project, top: Path) -> Iterator[Path]:
    yield from (top / name for name in _DATABASES)
    if top == project.root and (named := settings.database_of(project)):
        yield named


def _qdrant_candidates(top: Path, within: Path) -> Iterator[Path]:
    """Where Qdrant's folders were, and those that compose files mount into a container of it."""
    yield from (top / name for name in _QDRANT)
    for folder in _COMPOSE_FOLDERS:
        for name in _COMPOSE_NAMES:
            path = top / folder / name
            if is_within(path, within):
                yield from (path.parent / mount for mount in _mounts(path))


def _mounts(path: Path) -> Iterator[str]:
    document = read_yaml(path)
    services = document.get("services") if isinstance(document, dict) else None
    for service in services.values() if isinstance(services, dict) else ():
        volumes = service.get("volumes") if isinstance(service, dict) else None
        for volume in volumes if isinstance(volumes, list) else ():
            source, target = _ends(volume)
            if "qdrant" in target and source.startswith((".", "/", "~")):
                with contextlib.suppress(ValueError):  # a null character in the name of a user
                    yield os.path.expanduser(source)  # noqa: PTH111 (an unknown user's stays as it is)


def _ends(volume: Any) -> tuple[str, str]:
    """Source and target of a mount, in the short form and in the long one; empty where there is none."""
    if isinstance(volume, dict):
        source, target = volume.get("source"), volume.get("target")
    else:
        source, _, rest = volume.partition(":") if isinstance(volume, str) else ("", "", "")
        target = rest.partition(":")[0]
    return _text(source), _text(target)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
