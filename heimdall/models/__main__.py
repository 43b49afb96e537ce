"""The commands as `heimdall-models` of the distribution of that name, and as `python -m`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from . import plain_output, streams
from .base_error import HeimdallError
from .commands import CHECKOUT_HELP, COMMANDS
from .report import EXIT_ERROR, EXIT_INTERRUPTED


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: default: those of the process.

    Returns:
        0 done, 1 checked and found wanting, 2 error or usage, 130 interrupted.
    """
    streams.settle()
    options = vars(_parser().parse_args(arguments))
    command, as_json = COMMANDS[options.pop("command")], options.pop("json")
    try:
        report = command.perform(plain_output, **options)
        if as_json:
            print(json.dumps(report.document, indent=2))
        else:
            report.show()
    except KeyboardInterrupt:
        plain_output.error("interrupted; what is done is kept, and a download goes on where it was")
        return EXIT_INTERRUPTED
    except (HeimdallError, OSError) as error:
        plain_output.error(str(error))
        return EXIT_ERROR
    return report.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=plain_output.PROGRAM,
        description="Fetch, find and check the models that installed packages pin.",
        epilog="Exit codes: 0 done, 1 checked and found wanting, 2 error or usage, 130 interrupted.",
    )
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        described = command.run.__doc__ or ""
        first = described.partition("\n")[0]
        subparser = subparsers.add_parser(name, help=first, description=described)
        if command.path:
            subparser.add_argument(command.path, type=Path, metavar=command.path.upper())
        if command.about_one:
            subparser.add_argument(
                "package",
                nargs="?",
                metavar="PACKAGE",
                help="whose model, by import name; default: the only package here that has one",
            )
            subparser.add_argument("--variant", help="the variant; default: standard")
        if command.in_checkout:
            subparser.add_argument(
                "--checkout", nargs="?", const=Path(), type=Path, metavar="DIR", help=CHECKOUT_HELP
            )
        for flag, meaning in command.flags:
            subparser.add_argument(f"--{flag.replace('_', '-')}", action="store_true", help=meaning)
        for option, meaning in command.files:
            subparser.add_argument(f"--{option}", type=Path, metavar="FILE", help=meaning)
        subparser.add_argument("--json", action="store_true", help="print JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
