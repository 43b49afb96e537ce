"""Making a project's folder `.heimdall`."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from uuid import uuid4

from cognitive_memory.project.errors import ProjectError
from cognitive_memory.project.find import CONFIG_NAME, Project

_GITIGNORE = f"""\
# The memories are this machine's; the settings may be shared.
*
!.gitignore
!{CONFIG_NAME}
"""


def init_project(root: Path, *, project_id: str | None = None) -> Project:
    """Make `.heimdall` with commented settings and a `.gitignore`; what is there already is left alone.

    Safe to repeat, and for several processes at once: all see one id.

    Args:
        root: the project's directory.
        project_id: its id; default: a new random one. Not looked at if there are settings already.

    Raises:
        ProjectError: `root` is no directory, or `.heimdall` is in the way.
        OSError: the folder can't be written.
    """
    if not root.is_dir():
        raise ProjectError(root, "is no directory; make it first")
    from cognitive_memory.project.config import template

    project = Project(root.absolute())
    try:
        project.folder.mkdir(exist_ok=True)
    except FileExistsError:
        raise ProjectError(
            project.folder, "is no folder, but has the name of heimdall's; move it away"
        ) from None
    except OSError as error:
        reason = f"can't be made: {error.strerror}; check who may write to {project.root}, or name another project"
        raise ProjectError(project.folder, reason) from error
    _write_unless_there(project.folder / ".gitignore", _GITIGNORE)
    _write_unless_there(project.config_path, template(project_id or str(uuid4())))
    return project


def _write_unless_there(path: Path, text: str) -> None:
    """Write a whole file or none: of several processes that do it at once, the first one's stays."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}-{os.urandom(4).hex()}.tmp")
    if path.exists():
        return
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        with contextlib.suppress(FileExistsError):
            try:
                os.link(temporary, path)
            except OSError as error:
                if isinstance(error, FileExistsError) or path.exists():
                    raise FileExistsError from error
                temporary.replace(path)  # a filesystem without links
    finally:
        temporary.unlink(missing_ok=True)
