"""The original's `.heimdall/config.yaml`: kept under another name, since ours has other settings."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from cognitive_memory.project import Project, init_project
from cognitive_memory.project.config import OF_0_3
from heimdall.errors import HeimdallError
from heimdall.migration_0_3.copying import CopyError
from heimdall.migration_0_3.report import Outcome, Step, Wishes, failure

KEPT_NAME = "config.heimdall-0.3.yaml"


def read_original(path: Path) -> dict[str, Any] | None:
    """The original's settings; None if there are none, or they are ours or nobody's."""
    import yaml

    try:
        found = yaml.safe_load(path.read_bytes())
    except (OSError, yaml.YAMLError, RecursionError):
        return None
    return found if isinstance(found, dict) and OF_0_3 & found.keys() else None


def bring_over(project: Project, wishes: Wishes) -> Step | None:
    """Put our settings in the place of the original's, which are kept; None if there are none of the original's."""
    path = project.config_path
    found = read_original(path)
    if found is None:
        return None
    kept = path.with_name(KEPT_NAME)
    names = ", ".join(sorted(str(name) for name in found))
    detail = f"ours have other names, so its settings ({names}) are kept in {KEPT_NAME}"
    if wishes.dry_run:
        return Step("settings", str(path), Outcome.WOULD, str(kept), detail)
    try:
        _keep(path, kept)
        # Between these two lines there are no settings: the defaults hold, and the next migration goes on.
        path.unlink()
        init_project(project.root)
    except (HeimdallError, OSError) as error:
        return failure("settings", path, error, kept)
    return Step("settings", str(path), Outcome.BROUGHT, str(kept), detail)


def _keep(path: Path, kept: Path) -> None:
    if kept.exists() and kept.read_bytes() == path.read_bytes():
        return
    try:
        os.link(path, kept)
    except FileExistsError:
        raise CopyError(
            str(path), f"{kept} is there already, with other settings; move it away"
        ) from None
    except OSError:  # a filesystem without links
        kept.write_bytes(path.read_bytes())


def database_of(project: Project) -> Path | None:
    """Where the original's settings say that its database is."""
    found = (
        read_original(project.config_path)
        or read_original(project.config_path.with_name(KEPT_NAME))
        or {}
    )
    section = found.get("database")
    path = section.get("path") if isinstance(section, dict) else None
    return project.root / path if isinstance(path, str) and path else None
