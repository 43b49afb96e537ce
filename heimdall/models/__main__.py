"""The commands as `heimdall-models` of the distribution of that name, and as `python -m`."""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from .base_error import HeimdallError
from .commands import COMMANDS, Graded, Report, Text
from .packages import chosen_package
from .text import printable, printable_lines

_NAME = "heimdall-models"
_ERROR = 2
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: default: those of the process.

    Returns:
        0 done, 1 checked and found wanting, 2 error or usage, 130 interrupted.
    """
    options = vars(_parser().parse_args(arguments))
    command, as_json = COMMANDS[options.pop("command")], options.pop("json")
    try:
        package = [chosen_package(options.pop("package"))] if command.about_one else []
        report = command.run(*package, **options)
        _show(report, as_json=as_json)
    except KeyboardInterrupt:
        _print_error("interrupted; what is done is kept, and a download goes on where it was")
        return _INTERRUPTED
    except (HeimdallError, OSError) as error:
        _print_error(str(error))
        return _ERROR
    return report.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_NAME,
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
        for flag, meaning in command.flags:
            subparser.add_argument(f"--{flag.replace('_', '-')}", action="store_true", help=meaning)
        subparser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _show(report: Report, *, as_json: bool) -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")
    if as_json and report.document is not None:
        print(json.dumps(report.document, indent=2))
    elif report.problem:
        _print_error(report.problem)
    else:
        width = max((len(name) for name, _ in report.fields), default=0)
        rows = [(f"{name:<{width}}  ", value) for name, value in report.fields]
        for parts in (*rows, *report.lines):
            print(printable("".join(map(_plain, parts))).rstrip())


def _plain(part: Text) -> str:
    return part.text if isinstance(part, Graded) else part


def _print_error(message: str) -> None:
    print(f"{_NAME}: {printable_lines(message)}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
