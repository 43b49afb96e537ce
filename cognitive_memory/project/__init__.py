"""Projects: where one begins, its settings, and which ones this machine knows.

Names are imported when first used: finding a project must stay quick.
"""

from typing import TYPE_CHECKING

__all__ = [
    "Project",
    "ProjectConfig",
    "ProjectConfigError",
    "ProjectError",
    "find_project",
    "init_project",
]

if TYPE_CHECKING:
    from cognitive_memory.project.errors import ProjectConfigError, ProjectError
    from cognitive_memory.project.find import Project, find_project
    from cognitive_memory.project.init import init_project
    from cognitive_memory.project.settings import ProjectConfig

_HOMES = {
    "Project": "find",
    "ProjectConfig": "settings",
    "ProjectConfigError": "errors",
    "ProjectError": "errors",
    "find_project": "find",
    "init_project": "init",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
