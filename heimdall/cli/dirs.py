"""The command `heimdall dirs`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from heimdall.cli import output
from heimdall.cli.command import command
from heimdall.cli.report import Report


@command()
def dirs() -> Report:
    """Show the directories that heimdall uses.

    Those of this machine and of the project around the working directory, whether they exist or not.

    Examples:
        heimdall dirs  # where everything is
        heimdall dirs --json  # the same for a script
    """
    from cognitive_memory.project.errors import NoProjectError
    from cognitive_memory.project.find import find_project
    from heimdall.cognitive_system.data_dirs import shared_directories
    from heimdall.models import locations

    by_name = {**shared_directories(), "system_models_dir": locations.system_models_dir()}
    try:
        project = find_project()
    except NoProjectError as error:
        return _Directories({**by_name, "project_root": None, "project_problem": str(error)})
    return _Directories(
        {
            **by_name,
            "project_root": project.root,
            "project_config": project.config_path,
            "project_database": project.database,
        }
    )


@dataclass(frozen=True)
class _Directories(Report):
    by_name: Mapping[str, object]

    def as_json(self) -> Mapping[str, object]:
        return self.by_name

    def show(self) -> None:
        output.fields(self.by_name.items())
