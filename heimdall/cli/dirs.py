"""The command `heimdall dirs`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

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
    from cognitive_memory.project.find import find_project
    from heimdall.cognitive_system import data_dirs
    from heimdall.models import locations

    project = find_project()
    return _Directories(
        heimdall_data_dir=data_dirs.get_heimdall_data_dir(),
        models_dir=locations.models_dir(),
        qdrant_dir=data_dirs.get_qdrant_data_dir(),
        logs_dir=data_dirs.get_logs_data_dir(),
        system_models_dir=locations.system_models_dir(),
        project_root=project.root,
        project_config=project.config_path,
        project_database=project.database,
    )


@dataclass(frozen=True)
class _Directories(Report):
    heimdall_data_dir: Path
    models_dir: str
    qdrant_dir: Path
    logs_dir: Path
    system_models_dir: str
    project_root: Path
    project_config: Path
    project_database: Path

    def show(self) -> None:
        output.fields(self.as_json().items())
