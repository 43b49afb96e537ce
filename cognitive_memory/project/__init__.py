"""Projects: where one begins, its settings, and which ones this machine knows.

Names are imported when first used: finding a project must stay quick.
"""

from heimdall.models.lazy import lazy_exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cognitive_memory.project.errors import ProjectConfigError as ProjectConfigError
    from cognitive_memory.project.errors import ProjectError as ProjectError
    from cognitive_memory.project.find import Project as Project
    from cognitive_memory.project.find import find_project as find_project
    from cognitive_memory.project.init import init_project as init_project
    from cognitive_memory.project.settings import ProjectConfig as ProjectConfig

__all__, __dir__, __getattr__ = lazy_exports(
    __name__,
    {
        ".errors": ("ProjectConfigError", "ProjectError"),
        ".find": ("Project", "find_project"),
        ".init": ("init_project",),
        ".settings": ("ProjectConfig",),
    },
)
