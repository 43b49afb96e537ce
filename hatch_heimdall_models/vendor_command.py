"""`hatch-heimdall-models vendor`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hatch_heimdall_models.exit_codes import EXIT_FINDINGS, EXIT_OK
from hatch_heimdall_models.project import read_config
from hatch_heimdall_models.vendor import vendor

if TYPE_CHECKING:
    import argparse


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "vendor",
        help="write the fetching half into the package, as one file without any dependency",
        description="Write a module that fetches the pinned models: the standard library alone, Python 3.8 or later.",
        epilog="Exit codes: 0 done, 1 --check found differences, 2 error or usage.",
    )
    parser.add_argument(
        "file", metavar="FILE", help="in the package, for example src/my_package/_models.py"
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; exit 1 when the file is not what would be written",
    )
    parser.add_argument(
        "--project", type=Path, default=Path(), metavar="DIR", help="default: the current directory"
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    config = read_config(options.project)
    right, line = vendor(options.project, config, options.file, check=options.check)
    print(line)  # noqa: T201
    return EXIT_OK if right else EXIT_FINDINGS
