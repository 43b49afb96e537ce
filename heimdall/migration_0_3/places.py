"""Where earlier releases put things: in a project, in the home directory, on the machine."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cognitive_memory.project import Project
from heimdall.cognitive_system import data_dirs
from heimdall.migration_0_3 import memories, models, settings
from heimdall.migration_0_3.qdrant import QdrantFolder, recognise

_MODELS = ("data/models",)
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
_COMPOSE_FOLDERS = ("", ".heimdall", ".heimdall-mcp", "docker")
_COMPOSE_NAMES = ("docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml")


def model_folders(root: Path) -> list[Path]:
    """Folders of model files in a project, or the folder itself if it is one."""
    if models.looks_like_models(root):
        return [root]
    return [
        folder for name in _MODELS if (folder := root / name).is_dir() and any(folder.iterdir())
    ]


def databases(project: Project, tops: Sequence[Path] = ()) -> list[Path]:
    """Databases of heimdall 0.3 that belong to a project: in its own place first, then below `tops`."""
    return [path for path in _candidates(project, tops) if memories.is_legacy(path)]


def unreadable_databases(project: Project, tops: Sequence[Path] = ()) -> dict[Path, str]:
    """Files where those might be, of which nobody can tell what they are, and why."""
    problems = {path: memories.unreadable(path) for path in _candidates(project, tops)}
    return {path: problem for path, problem in problems.items() if problem}


def _candidates(project: Project, tops: Sequence[Path]) -> list[Path]:
    named = settings.database_of(project)
    paths = [top / name for top in (project.root, *tops) for name in _DATABASES] + (
        [named] if named else []
    )
    found: dict[Path, Path] = {}
    for path in (*paths, *memories.kept_originals(project)):
        found.setdefault(path.resolve(), path)
    return list(found.values())


def qdrant_folders(root: Path) -> list[QdrantFolder]:
    """Qdrant's folders in a project, those that compose files mount, or the folder itself if it is one."""
    candidates = [root, *(root / name for name in _QDRANT), *_mounted(root)]
    found: dict[Path, QdrantFolder] = {}
    for folder in candidates:
        if recognised := recognise(folder):
            found.setdefault(recognised.path.resolve(), recognised)
    return list(found.values())


def older_shared_directories() -> list[Path]:
    """Where earlier releases kept the shared directory, if ours is elsewhere: they knew no `$HEIMDALL_DATA_DIR`."""
    import platformdirs

    home = Path.home()
    candidates = [
        Path(platformdirs.user_data_dir("heimdall", "heimdall-mcp")),
        home / ".local" / "share" / "heimdall",
        home / "Library" / "Application Support" / "heimdall",
        home / "AppData" / "Local" / "heimdall",
        home / ".heimdall-shared",
    ]
    current = data_dirs.get_heimdall_data_dir().resolve()
    found = {
        path.resolve(): path
        for path in reversed(candidates)
        if path.is_dir() and path.resolve() != current
    }
    return list(found.values())


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
        document = yaml.safe_load(path.read_bytes())
    except (OSError, yaml.YAMLError, RecursionError):
        return  # somebody else's file, and not ours to judge
    services = document.get("services") if isinstance(document, dict) else None
    for service in services.values() if isinstance(services, dict) else ():
        for volume in _list(service, "volumes"):
            source, target = _ends(volume)
            if "qdrant" in target and source.startswith((".", "/", "~")):
                yield os.path.expanduser(source)  # noqa: PTH111 (an unknown user's stays as it is)


def _list(service: Any, key: str) -> list[Any]:
    found = service.get(key) if isinstance(service, dict) else None
    return found if isinstance(found, list) else []


def _ends(volume: Any) -> tuple[str, str]:
    """Source and target of a mount, in the short form and in the long one."""
    if isinstance(volume, dict):
        return str(volume.get("source", "")), str(volume.get("target", ""))
    source, _, rest = str(volume).partition(":")
    return source, rest.partition(":")[0]
