"""The original's `.heimdall/config.yaml`: kept under another name, since ours has other settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cognitive_memory.project.config import OF_0_3
from cognitive_memory.project.find import Project
from cognitive_memory.project.init import init_project
from heimdall.errors import HeimdallError
from heimdall.migration_0_3.copying import take_name
from heimdall.migration_0_3.report import MigrationError, Options, Outcome, Step, failure
from heimdall.migration_0_3.texts import MOST_BYTES, read_yaml
from heimdall.models.regular_file import read_regular

KEPT_NAME = "config.heimdall-0.3.yaml"


def read_original(path: Path) -> dict[str, Any] | None:
    """The original's settings; None if there are none, or they are ours or nobody's."""
    settings = read_yaml(path)
    return settings if isinstance(settings, dict) and OF_0_3 & settings.keys() else None


def migrate(project: Project, options: Options) -> Step | None:
    """Put our settings in the place of the original's, which are kept.

    None if there are none of the original's.
    """
    path = project.config_path
    settings = read_original(path)
    if settings is None:
        return None
    kept = path.with_name(KEPT_NAME)
    names = ", ".join(sorted(str(name) for name in settings))
    detail = f"ours have other names, so its settings ({names}) are kept in {KEPT_NAME}"
    try:
        if not options.dry_run:
            _keep(path, kept)
            # Between these two there are no settings: the defaults hold, and the next migration
            # goes on.
            init_project(project.root)
    except (HeimdallError, OSError) as error:
        return failure("settings", path, error, kept)
    outcome = Outcome.PLANNED if options.dry_run else Outcome.MIGRATED
    return Step("settings", str(path), outcome, str(kept), detail)


def _keep(path: Path, kept: Path) -> None:
    if not kept.exists():
        take_name(path, kept)
    elif (
        read_regular(kept, MOST_BYTES)[0] == read_regular(path, MOST_BYTES)[0]
    ):  # a migration was killed between its two names
        path.unlink()
    else:
        problem = f"{kept} is there already, with other settings; move it away"
        raise MigrationError(str(path), problem)


def database_of(project: Project) -> Path | None:
    """Where the original's settings say that its database is, which may be outside the project."""
    kept = project.config_path.with_name(KEPT_NAME)
    settings = read_original(project.config_path) or read_original(kept) or {}
    section = settings.get("database")
    path = section.get("path") if isinstance(section, dict) else None
    return project.root / path if isinstance(path, str) and path else None
