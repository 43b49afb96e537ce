"""The commands as data, for the scripts to be made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click


@dataclass(frozen=True, slots=True)
class Expected:
    """What may follow: one of some words, a path, or something that nobody can guess."""

    words: tuple[str, ...] = ()
    path: bool = False

    @classmethod
    def of(cls, kind: click.ParamType[Any]) -> Expected:
        """What a parameter of that type takes."""
        if isinstance(kind, click.Choice):
            return cls(words=tuple(str(choice) for choice in kind.choices))
        return cls(path=isinstance(kind, click.Path | click.File))


@dataclass(frozen=True, slots=True)
class OptionNode:
    """An option.

    Attributes:
        names: as they are typed, `-h` and `--help`.
        help: one line.
        value: what has to follow; None: nothing.
    """

    names: tuple[str, ...]
    help: str
    value: Expected | None


@dataclass(frozen=True, slots=True)
class CommandNode:
    """A command.

    Attributes:
        path: the words that lead to it, without `heimdall`.
        help: one line.
        options: its own.
        argument: what its arguments are; None where it has commands below it.
    """

    path: tuple[str, ...]
    help: str
    options: tuple[OptionNode, ...]
    argument: Expected | None


def commands_below(command: click.Command) -> list[CommandNode]:
    """A command and all that are below it, those above first."""
    return list(_walk(command, click.Context(command, info_name="heimdall"), ()))


def children(nodes: list[CommandNode], path: tuple[str, ...]) -> list[CommandNode]:
    """The commands one step below a path."""
    return [node for node in nodes if node.path[:-1] == path and node.path]


def _walk(
    command: click.Command, context: click.Context, path: tuple[str, ...]
) -> Iterator[CommandNode]:
    parameters = command.get_params(context)
    options = tuple(
        OptionNode(
            tuple(parameter.opts + parameter.secondary_opts),
            (parameter.help or "").split("\n")[0],
            None if parameter.is_flag or parameter.count else Expected.of(parameter.type),
        )
        for parameter in parameters
        if isinstance(parameter, click.Option) and not parameter.hidden
    )
    arguments = [parameter for parameter in parameters if isinstance(parameter, click.Argument)]
    is_group = isinstance(command, click.Group)
    argument = Expected.of(arguments[0].type) if arguments else Expected()
    yield CommandNode(
        path, (command.help or "").split("\n")[0], options, None if is_group else argument
    )
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None and not below.hidden:
                yield from _walk(
                    below, click.Context(below, parent=context, info_name=name), (*path, name)
                )
