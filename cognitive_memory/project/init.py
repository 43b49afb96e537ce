"""Making a project's folder `.heimdall`."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

from cognitive_memory.project.errors import ProjectError
from cognitive_memory.project.find import CONFIG_NAME, Project
from cognitive_memory.project.real_path import spelled
from heimdall.models.files import write_atomically

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
        ProjectError: `root` is no directory, or its folder is not the user's: as `Project.check` does;
            or the folder can't be written.
    """
    if not root.is_dir():
        raise ProjectError(root, "is no directory; make it first")
    from cognitive_memory.project.config import template

    project = Project(spelled(root))
    project.check()
    try:
        # What is remembered may be private, whatever the umask.
        project.folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        from cognitive_memory.project.special_folders import privacy_advice

        reason = f"can't be made: {error.strerror}; check who may write to {project.root}, or name another project"
        reason += privacy_advice()
        raise ProjectError(project.folder, reason) from error
    # Somebody else may have been quicker.
    project.check()
    # Of several processes that do it at once, the first one's files stay.
    settings = template(project_id or str(uuid4()))
    try:
        write_atomically(project.folder / ".gitignore", _GITIGNORE, replace=False)
        write_atomically(project.config_path, settings, replace=False)
    except OSError as error:
        reason = (
            f"can't be written: {error.strerror}; check the free space, and who may write there"
        )
        raise ProjectError(project.folder, reason) from error
    return project
