"""The command `hatch-heimdall-models`. It needs no build backend."""

from __future__ import annotations

import argparse
import io
import os
import sys
from typing import TYPE_CHECKING

from hatch_heimdall_models import check_command, lock_command, vendor_command
from hatch_heimdall_models.errors import ModelBuildError, reason
from hatch_heimdall_models.exit_codes import EXIT_ERROR, EXIT_INTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMANDS = (lock_command, check_command, vendor_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Its exit code: 0 done, 1 checked and found wanting, 2 error or usage, 130 interrupted.
    """
    parser = argparse.ArgumentParser(
        prog="hatch-heimdall-models", description="Pin a project's models."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add_to(commands)
    for stream in (sys.stdout, sys.stderr):
        # Names of files are no matter of a code page.
        if isinstance(stream, io.TextIOWrapper) and "PYTHONIOENCODING" not in os.environ:
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options))
    except (ModelBuildError, OSError) as error:
        filename = error.filename if isinstance(error, OSError) else None
        place = f"{filename}: " if filename else ""
        print(f"hatch-heimdall-models: error: {place}{reason(error)}", file=sys.stderr)  # noqa: T201
        return EXIT_ERROR
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)  # noqa: T201
        return EXIT_INTERRUPTED
