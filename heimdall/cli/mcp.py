"""The commands `heimdall mcp …`: the server in the configurations of AI coding assistants."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from heimdall.cli import output
from heimdall.cli.command import group, json_wanted, options
from heimdall.cli.mcp_changes import carry_out
from heimdall.cli.mcp_places import (
    as_document,
    name_option,
    place_of,
    project_option,
    project_root,
    shown_project_option,
)
from heimdall.cli.mcp_status import status
from heimdall.cli.tables import Column, table
from heimdall.models.report import Report

if TYPE_CHECKING:
    from heimdall.mcp_clients.places import Place

_scope = click.option(
    "--scope",
    type=click.Choice(["user", "project"]),
    default="user",
    show_default=True,
    help="The user's configuration, or the one that is shared with the project.",
)
_place_options = options(_scope, project_option, name_option)
_command = click.option(
    "--command", help="What to start, with arguments; default: heimdall-mcp, where it is installed."
)
_env = click.option(
    "--env",
    "variables",
    multiple=True,
    metavar="NAME[=VALUE]",
    help="A variable for the server; without a value, your own is passed on. Repeatable.",
)
_dry_run = click.option(
    "--dry-run", is_flag=True, help="Show the configuration that would be written."
)
_hooks = click.option(
    "--hooks/--no-hooks",
    default=None,
    help="Have the assistant tell its model what matters and keep what is said; default: no, asked on a terminal.",
)


def _names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001 (click's)
    from heimdall.mcp_clients.clients import CLIENTS

    return [name for name in CLIENTS if name.startswith(incomplete)]


_which = options(
    click.argument("clients", nargs=-1, shell_complete=_names),
    click.option("--all", "every", is_flag=True, help="Every assistant that is installed here."),
)


@group()
def mcp() -> None:
    """Connect AI coding assistants.

    Examples:
        heimdall mcp install claude-code  # in all your projects
        heimdall mcp install cursor --scope project  # for everybody who works on this one
        heimdall mcp status  # where it is, and whether it can start
    """


@mcp.command()
@_which
@_place_options
@_command
@_env
@_hooks
@_dry_run
def install(
    *,
    clients: tuple[str, ...],
    every: bool,
    scope: str,
    project: Path | None,
    name: str,
    command: str | None,
    variables: tuple[str, ...],
    hooks: bool | None,
    dry_run: bool,
) -> Report:
    """Put the server into the configuration of CLIENTS.

    Comments, order and other servers stay as they are. A copy of the file is kept, and its place is printed.

    Examples:
        heimdall mcp install claude-code codex  # two at once
        heimdall mcp install --all  # every assistant that is installed here
        heimdall mcp install zed --dry-run  # only show what would be written
        heimdall mcp install codex --env HEIMDALL_GITHUB_TOKEN  # pass on what Codex keeps back
        heimdall mcp install claude-code --hooks  # and have its sessions begin with what matters
    """
    from heimdall.mcp_clients import setup
    from heimdall.mcp_clients.clients import CLIENTS
    from heimdall.mcp_clients.variables import unseen

    places = [
        place_of(client, scope, project, name) for client in _named(clients, scope, every=every)
    ]
    if not places:
        text = (
            "No assistant was found on this machine. Name one to connect it before it is installed, "
            "as in 'heimdall mcp install claude-code': 'heimdall mcp list' shows all "
            f"{len(CLIENTS)} and their files. Any other one takes what 'heimdall mcp generate "
            "claude-desktop' prints, in most cases."
        )
        show = partial(output.paragraph, text)
        return Report({"dry_run": dry_run, "changes": []}, show, sound=False)
    fixed = project.absolute() if project and scope == "user" else None
    put = partial(
        setup.install, command=command, project=fixed, variables=variables, dry_run=dry_run
    )
    demanded = bool(hooks) and not every
    if hooks is None:
        hooks = _hooks_wanted(places, dry_run=dry_run)
    report = carry_out(places, put, "install" if hooks else "", demanded=demanded, dry_run=dry_run)
    written, left = unseen(os.environ) if scope == "user" else ({}, [])
    given = {variable.partition("=")[0] for variable in variables}
    left = [name for name in left if name not in given]
    document = {**report.document, **({"variables_left_out": left} if left else {})}
    show = partial(_show_unseen, report.show, sorted(written), left)
    return replace(report, document=document, show=show)


def _named(clients: Sequence[str], scope: str, *, every: bool) -> list[str]:
    """The clients that are named, and with `--all` those that are installed here."""
    from heimdall.mcp_clients import setup
    from heimdall.mcp_clients.clients import CLIENTS

    if not clients and not every:
        raise click.UsageError("Name an assistant, or say --all. 'heimdall mcp list' shows them.")
    here = (one.name for one in CLIENTS.values() if scope in one.scopes and setup.is_here(one))
    return [*clients, *(here if every else ())]


def _show_unseen(show: Callable[[], None], written: Sequence[str], left: Sequence[str]) -> None:
    show()
    if written or left:
        output.paragraph("An app that is started from the Dock sees no variable of your shell.")
    if written:
        output.paragraph(f"The entry has {', '.join(written)}; install again when one changes.")
    if left:
        named = ", ".join(left)
        output.paragraph(f"{named}: set here, not written down unasked. --env NAME=VALUE does it.")


def _hooks_wanted(places: Iterable[Place], *, dry_run: bool) -> bool:
    """Whether hooks are wanted: asked once, where somebody can answer."""
    from heimdall.hooks.installing import has_hooks

    able = [place.client.title for place in places if has_hooks(place.client.name, place.scope)]
    if not able or dry_run or json_wanted() or not sys.stdin.isatty():
        return False
    return output.confirmed(
        f"Shall {' and '.join(able)} also tell the model what matters when a session starts, and keep what is said "
        "to be remembered (hooks)?"
    )


@mcp.command()
@_which
@_place_options
@_dry_run
def remove(
    *,
    clients: tuple[str, ...],
    every: bool,
    scope: str,
    project: Path | None,
    name: str,
    dry_run: bool,
) -> Report:
    """Take the server, and the hooks if there are any, out of the configuration of CLIENTS.

    Examples:
        heimdall mcp remove cursor  # out of your configuration
        heimdall mcp remove --all  # out of every assistant's that is installed here
    """
    from heimdall.mcp_clients import setup

    places = [
        place_of(client, scope, project, name) for client in _named(clients, scope, every=every)
    ]
    return carry_out(places, partial(setup.remove, dry_run=dry_run), "remove", dry_run=dry_run)


mcp.add_command(status)


@mcp.command("list")
@shown_project_option
def list_(*, project: Path | None) -> Report:
    """List the assistants that can be connected, and their configuration files.

    Examples:
        heimdall mcp list  # the assistants, and their files
    """
    from heimdall.mcp_clients import setup

    places = [(place, setup.is_here(place.client)) for place in setup.places(project_root(project))]
    documents = [
        {**as_document(place), "title": place.client.title, "here": here} for place, here in places
    ]
    columns = [
        Column("client", whole=True),
        Column("here"),
        Column("scope", whole=True),
        Column("file"),
    ]
    yes, no = output.good("yes"), output.faint("no")
    rows = [
        (place.client.name, yes if here else no, place.scope, _short(place))
        for place, here in places
    ]
    return Report({"clients": documents}, partial(table, columns, rows))


@mcp.command()
@click.argument("client", shell_complete=_names)
@_place_options
@_command
@_env
def generate(
    *,
    client: str,
    scope: str,
    project: Path | None,
    name: str,
    command: str | None,
    variables: tuple[str, ...],
) -> Report:
    """Print the entry for CLIENT, to paste it where heimdall can't write.

    Examples:
        heimdall mcp generate vscode  # to paste it yourself
        heimdall mcp generate codex --command 'uvx heimdall-mcp'  # with another program
    """
    from heimdall.mcp_clients import setup

    place = place_of(client, scope, project, name)
    fixed = project.absolute() if project else None
    text = setup.snippet(place, command=command, project=fixed, variables=variables)
    return Report({**as_document(place), "text": text}, partial(click.echo, text, nl=False))


def _short(place: Place) -> str:
    """The file's path as people write it: from the home directory, or from the project's root."""
    from heimdall.mcp_clients.places import home

    base, begin = (place.root, "") if place.scope == "project" else (home(), "~/")
    path = place.path
    return f"{begin}{path.relative_to(base)}" if path.is_relative_to(base) else str(path)
