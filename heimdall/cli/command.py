"""What every command has: examples in its help, `--json`, and a report that is printed in one place.

A module of commands is imported as soon as one of them, or the help of one, is asked for: what a command works with
is imported in its body.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from heimdall.cli import output
from heimdall.cli.exit_codes import EXIT_OK
from heimdall.cli.report import Report

Example = tuple[str, str]
"""A command line, and what it does."""
_Function = TypeVar("_Function", bound=Callable[..., Any])
_AS_JSON = "as_json"


class _WithExamples(click.Command):
    """A command with examples at the end of its help.

    Attributes:
        examples: command lines, and what they do.
    """

    def __init__(self, *args: Any, examples: Sequence[Example] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, then click's own epilog."""
        if self.examples:
            with formatter.section("Examples"):
                formatter.write_dl(list(self.examples), col_max=48)
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
        if as_json:
            output.as_json(report.as_json())
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


def command(
    name: str | None = None,
    *,
    examples: Sequence[Example],
    lenient: bool = False,
    reports: bool = True,
) -> Callable[[Callable[..., Report | None]], Command]:
    """Make a `Command` of a function.

    Args:
        name: default: the function's name.
        examples: command lines, and what they do.
        lenient: whether it runs although `HEIMDALL_LOG_LEVEL` has a value that can't be used.
        reports: whether it has the option `--json`.
    """
    return click.command(name, cls=Command, examples=examples, lenient=lenient, reports=reports)


def group(
    name: str | None = None, *, examples: Sequence[Example]
) -> Callable[[Callable[..., Any]], Group]:
    """Make a `Group` of a function; its `command` takes `examples` as `heimdall.cli.command.command` does."""
    return click.group(name, cls=Group, examples=examples)


def options(*decorators: Callable[[_Function], _Function]) -> Callable[[_Function], _Function]:
    """Several options or arguments that commands share, as one decorator; help shows them in this order."""

    def decorate(function: _Function) -> _Function:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


def json_wanted() -> bool:
    """Whether the running command was called with `--json`: for those that then ask nothing or can't go on."""
    return bool(click.get_current_context().meta[_AS_JSON])
