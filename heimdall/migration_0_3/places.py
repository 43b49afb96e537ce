"""Where earlier releases put things: in a project, in the home directory, on the machine."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from cognitive_memory.project.find import Project
from cognitive_memory.project.regular_file import read_regular
from cognitive_memory.storage.errors import StorageError, explanation
from heimdall.cognitive_system import data_dirs
from heimdall.migration_0_3 import memories, models, settings
from heimdall.migration_0_3.original import is_original
from heimdall.migration_0_3.qdrant import QdrantFolder, recognise

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
_MOST_BYTES = 1_000_000
_COMPOSE_FOLDERS = ("", ".heimdall", ".heimdall-mcp", "docker")
_COMPOSE_NAMES = ("docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml")


def model_folders(root: Path) -> list[Path]:
    """Folders of model files in a project, or the folder itself if it is one."""
    if models.looks_like_models(root):
        return [root]
    folder = root / "data" / "models"
    return [folder] if folder.is_dir() and any(folder.iterdir()) else []


def databases(project: Project, tops: Sequence[Path] = ()) -> tuple[list[Path], dict[Path, str]]:
    """Databases of heimdall 0.3 that belong to a project: in its own place first, then below `tops`.

    Returns:
        The databases, and the files where those might be of which nobody can tell what they are,
        each with the reason.
    """
    named = settings.database_of(project)
    paths = [top / name for top in (project.root, *tops) for name in _DATABASES]
    paths += [named] if named else []
    originals: list[Path] = []
    unreadable: dict[Path, str] = {}
    for path in _distinct((*paths, *memories.kept_originals(project))):
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


def qdrant_folders(root: Path) -> list[QdrantFolder]:
    """Qdrant's folders in a project, those that compose files mount, or the folder itself if it is one."""
    candidates = [root, *(root / name for name in _QDRANT), *_mounted(root)]
    folders = {folder.path: folder for path in candidates if (folder := recognise(path))}
    return [folders[path] for path in _distinct(folders)]


def older_shared_directories() -> list[Path]:
    """Where earlier releases kept the shared directory, if ours is elsewhere: they knew no `$HEIMDALL_DATA_DIR`."""
    import platformdirs

    home = Path.home()
    candidates = [
        home / ".heimdall-shared",
        home / "AppData" / "Local" / "heimdall",
        home / "Library" / "Application Support" / "heimdall",
        home / ".local" / "share" / "heimdall",
        Path(platformdirs.user_data_dir("heimdall", "heimdall-mcp")),
    ]
    current = data_dirs.get_heimdall_data_dir().resolve()
    return [path for path in _distinct(candidates) if path.is_dir() and path.resolve() != current]


def _distinct(paths: Iterable[Path]) -> list[Path]:
    """The first of each that lead to one place."""
    by_place: dict[Path, Path] = {}
    for path in paths:
        by_place.setdefault(path.resolve(), path)
    return list(by_place.values())


def _mounted(root: Path) -> Iterator[Path]:
    """Folders that compose files mount into a container of Qdrant."""
    for folder in _COMPOSE_FOLDERS:
        for name in _COMPOSE_NAMES:
            path = root / folder / name
            if path.is_file():
                yield from (path.parent / mount for mount in _mounts(path))


def _mounts(path: Path) -> Iterator[str]:
    import yaml

    try:
        document = yaml.load(read_regular(path, _MOST_BYTES)[0], Loader=yaml.BaseLoader)  # noqa: S506 (makes nothing but texts)
    except (OSError, yaml.YAMLError, RecursionError):
        return  # somebody else's file, and not ours to judge
    services = document.get("services") if isinstance(document, dict) else None
    for service in services.values() if isinstance(services, dict) else ():
        volumes = service.get("volumes") if isinstance(service, dict) else None
        for volume in volumes if isinstance(volumes, list) else ():
            source, target = _ends(volume)
            if "qdrant" in target and source.startswith((".", "/", "~")):
                yield os.path.expanduser(source)  # noqa: PTH111 (an unknown user's stays as it is)


def _ends(volume: Any) -> tuple[str, str]:
    """Source and target of a mount, in the short form and in the long one."""
    if isinstance(volume, dict):
        return str(volume.get("source", "")), str(volume.get("target", ""))
    source, _, rest = str(volume).partition(":")
    return source, rest.partition(":")[0]
