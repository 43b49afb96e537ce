"""What every command has: examples in its help, `--json`, and a report that is printed in one place.

A module of commands is imported as soon as one of them, or the help of one, is asked for: what a
command works with is imported in its body.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import cleandoc
from typing import Any, TypeVar

import click

from heimdall.cli import output
from heimdall.models.report import EXIT_OK, Report

_Function = TypeVar("_Function", bound=Callable[..., Any])
_AS_JSON = "as_json"


class _WithExamples(click.Command):
    """A command whose docstring ends with examples: a command line in each, and behind a `#` what it does.

    Attributes:
        examples: the command lines and what they do, which stand at the end of the help.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.help, _, examples = cleandoc(self.help or "").partition("\n\nExamples:\n")
        self.examples = [
            (line.strip(), meaning)
            for line, _, meaning in (row.partition("  # ") for row in examples.splitlines())
        ]

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, then click's own epilog."""
        if self.examples:
            with formatter.section("Examples"):
                formatter.write_dl(self.examples, col_max=48)
        super().format_epilog(ctx, formatter)


class Command(_WithExamples):
    """A command whose function returns a `Report`, or None if it has printed all there is to say.

    Attributes:
        lenient: whether it runs although `HEIMDALL_LOG_LEVEL` has a value that can't be used.
    """

    def __init__(
        self, *args: Any, lenient: bool = False, reports: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.lenient = lenient
        if reports:
            self.params.append(click.Option(["--json", _AS_JSON], is_flag=True, help="Print JSON."))

    def invoke(self, ctx: click.Context) -> int:
        """Run it with its log records going where they belong, print its report, return the exit code."""
        from heimdall.cli import records

        records.begin(lenient=self.lenient)
        as_json = ctx.meta[_AS_JSON] = ctx.params.pop(_AS_JSON, False)
        report: Report | None = super().invoke(ctx)
        if report is None:
            return EXIT_OK
        with output.to_stdout():
            if as_json:
                output.as_json(report.document)
            else:
                report.show()
        for message in report.errors:
            output.error(message)
        return report.exit_code


class Group(_WithExamples, click.Group):
    """A group of such commands; they stand in the order in which they were made."""

    command_class = Command

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """The commands' names, as they were made."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the first sentence of each command's help, whole."""
        with formatter.section("Commands"):
            formatter.write_dl(
                (name, command.get_short_help_str(limit=formatter.width * 9))
                for name, command in self.commands.items()
            )


def command(
    name: str | None = None, *, lenient: bool = False, reports: bool = True
) -> Callable[[Callable[..., Report | None]], Command]:
    """Make a `Command` of a function, whose docstring is the help.

    Args:
        name: default: the function's name.
        lenient: whether it runs although `HEIMDALL_LOG_LEVEL` has a value that can't be used.
        reports: whether it has the option `--json`.
    """
    return click.command(name, cls=Command, lenient=lenient, reports=reports)


def group() -> Callable[[Callable[..., Any]], Group]:
    """Make a `Group` of a function; its `command` makes a `Command` of another."""
    return click.group(cls=Group)


def options(*decorators: Callable[[_Function], _Function]) -> Callable[[_Function], _Function]:
    """Several options or arguments that commands share, as one decorator; help shows them in this order."""

    def decorate(function: _Function) -> _Function:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


def report_of(command: click.Command, *words: str) -> Report:
    """What another command reports when it is called with these words, as a part of the running one."""
    parent = click.get_current_context()
    with command.make_context(command.name, list(words), parent=parent) as context:
        context.params.pop(_AS_JSON)
        assert command.callback is not None  # noqa: S101 (every command of ours has a function)
        report: Report = context.invoke(command.callback, **context.params)
        return report


def json_wanted() -> bool:
    """Whether the running command was called with `--json`: for those that then ask nothing or can't go on."""
    return bool(click.get_current_context().meta[_AS_JSON])
