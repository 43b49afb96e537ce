"""`python -m tests.support.command_reference FILE`: every command's `--help` as Markdown, for the site of docs/."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from heimdall.cli.commands import heimdall

_WIDTH = 80


def pages(command: click.Command, context: click.Context) -> Iterator[str]:
    """A heading and the help of a command, then those of the commands below it."""
    level = "#" * (context.command_path.count(" ") + 2)
    yield f"{level} {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None and not below.hidden:
                yield from pages(below, _context(below, name, context))


def _context(
    command: click.Command, name: str, parent: click.Context | None = None
) -> click.Context:
    return command.context_class(command, info_name=name, parent=parent, terminal_width=_WIDTH)


def main(file: Path) -> None:
    """Write the reference."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(pages(heimdall, _context(heimdall, "heimdall"))), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
