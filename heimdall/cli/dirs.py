"""The command `heimdall dirs`."""

from __future__ import annotations

from functools import partial

from heimdall.cli import output
from heimdall.cli.command import command
from heimdall.models.report import Report


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

    by_name: dict[str, object] = {
        **shared_directories(),
        "system_models_dir": locations.system_models_dir(),
    }
    try:
        project = find_project()
        by_name["project_root"] = project.root
        by_name["project_config"] = project.config_path
        by_name["project_database"] = project.database
    except NoProjectError as error:
        by_name["project_root"] = None
        by_name["project_problem"] = str(error)
    return Report(by_name, partial(output.fields, by_name.items()))
