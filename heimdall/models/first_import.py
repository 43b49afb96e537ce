"""What `import heimdall` does about models: fetch them if they are not there, and never fail because of it."""

import os
import sys

from .locate import locate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_IMPORTING = frozenset(
    {"heimdall", "importlib", "_frozen_importlib", "_frozen_importlib_external", "zipimport"}
)
"""Whose frames lie between this module and whoever imports heimdall."""


def provide_models_on_import() -> None:
    """Bring the default model into the shared directory unless it is there or `$HEIMDALL_FETCH` says otherwise.

    A set that is complete costs one small read and a few `stat` calls. Nothing is raised: what goes wrong is
    logged as a warning, and raised where a model is needed.
    """
    if os.environ.get("HEIMDALL_FETCH") in {"use", "never"} or is_own_command():
        return
    location = locate()
    if location.here and location.noted:
        return
    from .quiet_fetch import fetch_quietly

    fetch_quietly()


def is_own_command() -> bool:
    """Whether this process is one of heimdall's own commands, which fetch only when they need a model."""
    commands = sys.modules.get("_heimdall_commands")
    return getattr(commands, "running", False) or _is_run_as_a_module()


def _is_run_as_a_module() -> bool:
    """Whether Python imports heimdall in order to run a module of it, as `python -m heimdall` and debuggers do."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _IMPORTING:
        frame = frame.f_back
    return frame is not None and frame.f_globals.get("__name__") == "runpy"
