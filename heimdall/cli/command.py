"""What every command has: examples in its help, `--json` where it reports.

A module of commands is imported as soon as one of them, or the help of one, is asked for: what a command works with
is imported in its body.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

Example = tuple[str, str]
"""A command line, and what it does."""
_Function = TypeVar("_Function", bound=Callable[..., Any])


class Command(click.Command):
    """A command with examples at the end of its help.

    Attributes:
        examples: command lines, and what they do.
        lenient: whether it runs although `HEIMDALL_LOG_LEVEL` has a value that can't be used.
    """

    def __init__(
        self, *args: Any, examples: Sequence[Example] = (), lenient: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)
        self.lenient = lenient

    def invoke(self, ctx: click.Context) -> Any:
        """Run it, with its log records going where they belong."""
        from heimdall.cli import records

        records.begin(lenient=self.lenient)
        return super().invoke(ctx)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, then click's own epilog."""
        _write_examples(self.examples, formatter)
        super().format_epilog(ctx, formatter)


class Group(click.Group):
    """A group of such commands, with examples of its own; its commands stand in the order in which they were made."""

    command_class = Command

    def __init__(self, *args: Any, examples: Sequence[Example] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """The commands' names, as they were made."""
        return list(self.commands)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, then click's own epilog."""
        _write_examples(self.examples, formatter)
        super().format_epilog(ctx, formatter)


def command(
    name: str | None = None, *, examples: Sequence[Example], lenient: bool = False
) -> Callable[[Callable[..., Any]], Command]:
    """Make a `Command` of a function; its return value is the exit code, None means 0.

    Args:
        name: default: the function's name.
        examples: command lines, and what they do.
        lenient: whether it runs although `HEIMDALL_LOG_LEVEL` has a value that can't be used.
    """
    return click.command(name, cls=Command, examples=examples, lenient=lenient)


def group(
    name: str | None = None, *, examples: Sequence[Example]
) -> Callable[[Callable[..., Any]], Group]:
    """Make a `Group` of a function; its `command` takes `examples` as `heimdall.cli.command.command` does."""
    return click.group(name, cls=Group, examples=examples)


def json_option(function: _Function) -> _Function:
    """The option `--json`, passed as `machine`: on every command that reports."""
    return click.option("--json", "machine", is_flag=True, help="Print JSON.")(function)


def _write_examples(examples: Sequence[Example], formatter: click.HelpFormatter) -> None:
    if not examples:
        return
    with formatter.section("Examples"):
        formatter.write_dl(list(examples), col_max=48)
