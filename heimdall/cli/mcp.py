"""The commands `heimdall mcp …`: the server in the configurations of AI coding assistants."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from heimdall.cli import output
from heimdall.cli.command import group, json_option

if TYPE_CHECKING:
    from heimdall.mcp_clients.setup import Change, Place

WANTING = 1
ERROR = 2
_scope = click.option(
    "--scope",
    type=click.Choice(["user", "project"]),
    default="user",
    show_default=True,
    help="The user's configuration, or the one that is shared with the project.",
)
_project = click.option(
    "--project",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The project: with --scope user, the only one that the assistant gets; default: each assistant says which.",
)
_name = click.option(
    "--name", default="heimdall", show_default=True, help="The server's name in the configuration."
)
_command = click.option(
    "--command", help="What to start, with arguments; default: heimdall-mcp, where it is installed."
)
_dry_run = click.option(
    "--dry-run", is_flag=True, help="Show the configuration that would be written."
)


@group(
    examples=[
        ("heimdall mcp install claude-code", "in all your projects"),
        ("heimdall mcp install cursor --scope project", "for everybody who works on this one"),
        ("heimdall mcp status", "where it is, and whether it can start"),
    ]
)
def mcp() -> None:
    """Connect AI coding assistants."""


@mcp.command(
    examples=[
        ("heimdall mcp install claude-code codex", "two at once"),
        ("heimdall mcp install --all", "every assistant that is installed here"),
        ("heimdall mcp install zed --dry-run", "only show what would be written"),
    ]
)
@click.argument("clients", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every assistant that is installed here.")
@_scope
@_project
@_name
@_command
@_dry_run
@json_option
def install(
    *,
    clients: tuple[str, ...],
    every: bool,
    scope: str,
    project: Path | None,
    name: str,
    command: str | None,
    dry_run: bool,
    machine: bool,
) -> int:
    """Put the server into the configuration of CLIENTS.

    Comments, order and other servers stay as they are. A copy of the file is kept, and its place is printed.
    """
    from heimdall.mcp_clients import setup
    from heimdall.mcp_clients.clients import CLIENTS, client_named

    root = _root(project)
    chosen = [client_named(client) for client in clients]
    if every:
        chosen += [
            client
            for client in CLIENTS.values()
            if scope in client.scopes and setup.is_here(client, root)
        ]
    if not chosen:
        raise click.UsageError("Name an assistant, or say --all. 'heimdall mcp list' shows them.")
    fixed = project.absolute() if project and scope == "user" else None
    places = [
        setup.Place(client=client, scope=scope, root=root, name=name)
        for client in dict.fromkeys(chosen)
    ]

    def put(place: Place) -> Change:
        return setup.install(
            place, backups=_backups(), command=command, project=fixed, dry_run=dry_run
        )

    return _carry_out(places, put, dry_run=dry_run, machine=machine)


@mcp.command(examples=[("heimdall mcp remove cursor", "out of your configuration")])
@click.argument("clients", nargs=-1, required=True)
@_scope
@_project
@_name
@_dry_run
@json_option
def remove(
    *,
    clients: tuple[str, ...],
    scope: str,
    project: Path | None,
    name: str,
    dry_run: bool,
    machine: bool,
) -> int:
    """Take the server out of the configuration of CLIENTS."""
    from heimdall.mcp_clients import setup
    from heimdall.mcp_clients.clients import client_named

    root = _root(project)
    chosen = dict.fromkeys(client_named(client) for client in clients)
    places = [setup.Place(client=client, scope=scope, root=root, name=name) for client in chosen]

    def drop(place: Place) -> Change:
        return setup.remove(place, backups=_backups(), dry_run=dry_run)

    return _carry_out(places, drop, dry_run=dry_run, machine=machine)


@mcp.command(examples=[("heimdall mcp status", "every place where the server stands")])
@_project
@_name
@json_option
def status(*, project: Path | None, name: str, machine: bool) -> int:
    """Say where the server is configured and whether it can start.

    Exit code 1 if it is configured nowhere, or if an entry or a file needs mending.
    """
    from heimdall.mcp_clients import setup

    found = [setup.standing(place) for place in setup.places(_root(project), name=name)]
    shown = [standing for standing in found if standing.state is not setup.State.ABSENT]
    if machine:
        output.as_json(
            {
                "entries": [
                    {**_place(standing.place), "state": standing.state, "problem": standing.problem}
                    | {"command": standing.command}
                    for standing in shown
                ]
            }
        )
    elif not shown:
        output.paragraph(
            "No assistant is connected yet: 'heimdall mcp list' shows those that are here."
        )
    for standing in () if machine else shown:
        fine = standing.state is setup.State.INSTALLED
        place = standing.place
        output.line(
            output.mark("pass" if fine else "fail"),
            f" {place.client.title}, {place.scope}: ",
            str(place.path),
        )
        if standing.problem:
            output.paragraph(standing.problem, indent=2)
    return 0 if shown and all(one.state is setup.State.INSTALLED for one in shown) else WANTING


@mcp.command("list", examples=[("heimdall mcp list", "the assistants, and their files")])
@_project
@json_option
def list_(*, project: Path | None, machine: bool) -> None:
    """List the assistants that can be connected, and their configuration files."""
    from heimdall.mcp_clients import setup

    root = _root(project)
    places = list(setup.places(root))
    here = {place.client.name: setup.is_here(place.client, root) for place in places}
    if machine:
        output.as_json(
            {
                "clients": [
                    {**_place(place), "title": place.client.title, "here": here[place.client.name]}
                    for place in places
                ]
            }
        )
        return
    output.table(
        [output.Column("client", whole=True), "here", output.Column("scope", whole=True), "file"],
        [
            (
                place.client.name,
                output.good("yes") if here[place.client.name] else output.faint("no"),
                place.scope,
                place.path,
            )
            for place in places
        ],
    )


@mcp.command(
    examples=[
        ("heimdall mcp generate vscode", "to paste it yourself"),
        ("heimdall mcp generate codex --command 'uvx heimdall-mcp'", "with another program"),
    ]
)
@click.argument("client")
@_scope
@_project
@_name
@_command
@json_option
def generate(
    *, client: str, scope: str, project: Path | None, name: str, command: str | None, machine: bool
) -> None:
    """Print the entry for CLIENT, to paste it where heimdall can't write."""
    from heimdall.mcp_clients import setup
    from heimdall.mcp_clients.clients import client_named

    place = setup.Place(client=client_named(client), scope=scope, root=_root(project), name=name)
    text = setup.snippet(place, command=command, project=project.absolute() if project else None)
    if machine:
        output.as_json({**_place(place), "text": text})
    else:
        click.echo(text, nl=False)


def _root(project: Path | None) -> Path:
    from cognitive_memory.project import find_project

    return find_project(project).root


def _backups() -> Path:
    from heimdall.cognitive_system.data_dirs import get_heimdall_data_dir

    return get_heimdall_data_dir() / "backups"


def _place(place: Place) -> dict[str, object]:
    return {"client": place.client.name, "scope": place.scope, "file": str(place.path)}


def _carry_out(
    places: list[Place], act: Callable[[Place], Change], *, dry_run: bool, machine: bool
) -> int:
    """Change one configuration after the other; one that can't be changed keeps no other from it."""
    from heimdall.mcp_clients.errors import ClientConfigError

    changes, failures = [], []
    for place in places:
        try:
            changes.append(act(place))
        except ClientConfigError as error:
            failures.append(error)
    _report(changes, dry_run=dry_run, machine=machine)
    for failure in failures:
        output.complain(str(failure))
    return ERROR if failures else 0


def _report(changes: list[Change], *, dry_run: bool, machine: bool) -> None:
    if machine:
        output.as_json(
            {
                "dry_run": dry_run,
                "changes": [_as_document(change, dry_run=dry_run) for change in changes],
            }
        )
        return
    for change in changes:
        place = change.place
        would = "would be " if dry_run and change.action != "unchanged" else ""
        output.line(
            output.mark("pass"),
            f" {place.client.title}, {place.scope}: {would}{change.action}, ",
            str(place.path),
        )
        if dry_run and change.action != "unchanged":
            output.paragraph(change.text or "(the file would be removed)", indent=2)
        if change.backup:
            output.line("  what was there is kept in ", str(change.backup))
        if not dry_run and change.action != "unchanged":
            output.paragraph(f"Then: {place.client.after}.", indent=2)


def _as_document(change: Change, *, dry_run: bool) -> dict[str, object]:
    document = {**_place(change.place), "action": change.action}
    document["backup"] = str(change.backup) if change.backup else None
    return document | ({"text": change.text} if dry_run else {})
