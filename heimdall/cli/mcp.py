"""The commands `heimdall mcp …`: the server in the configurations of AI coding assistants."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from heimdall.cli import output
from heimdall.cli.command import group, json_wanted, options
from heimdall.models.report import Report

if TYPE_CHECKING:
    from heimdall.hooks.installing import HookChange
    from heimdall.mcp_clients.places import Place
    from heimdall.mcp_clients.setup import Change

Grade = Literal["pass", "warn", "fail"]
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
_place_options = options(_scope, _project, _name)
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


@group()
def mcp() -> None:
    """Connect AI coding assistants.

    Examples:
        heimdall mcp install claude-code  # in all your projects
        heimdall mcp install cursor --scope project  # for everybody who works on this one
        heimdall mcp status  # where it is, and whether it can start
    """


@mcp.command()
@click.argument("clients", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every assistant that is installed here.")
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

    chosen = list(clients)
    if every:
        chosen += [
            client.name
            for client in CLIENTS.values()
            if scope in client.scopes and setup.is_here(client)
        ]
    places = [_place(client, scope, project, name) for client in chosen]
    if not places and every:
        text = (
            "No assistant was found on this machine. Name one to connect it before it is installed, "
            "as in 'heimdall mcp install claude-code': 'heimdall mcp list' shows all "
            f"{len(CLIENTS)} and their files. Any other one takes what 'heimdall mcp generate "
            "claude-desktop' prints, in most cases."
        )
        show = partial(output.paragraph, text)
        return Report({"dry_run": dry_run, "changes": []}, show, sound=False)
    if not places:
        raise click.UsageError("Name an assistant, or say --all. 'heimdall mcp list' shows them.")
    fixed = project.absolute() if project and scope == "user" else None
    put = partial(
        setup.install, command=command, project=fixed, variables=variables, dry_run=dry_run
    )
    demanded = bool(hooks) and not every
    if hooks is None:
        hooks = _hooks_wanted(places, dry_run=dry_run)
    report = _carry_out(places, put, "install" if hooks else "", demanded=demanded, dry_run=dry_run)
    left = unseen(os.environ)[1] if scope == "user" else []
    document = {**report.document, **({"variables_left_out": left} if left else {})}
    return replace(report, document=document, show=partial(_show_left_out, report.show, left))


def _show_left_out(show: Callable[[], None], names: Iterable[str]) -> None:
    show()
    for name in names:
        output.paragraph(
            f"{name} is set here, and is not written into a file unasked: an app that is started from the Dock does not "
            f"see it. --env {name}=VALUE puts it there."
        )


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
@click.argument("clients", nargs=-1, required=True)
@_place_options
@_dry_run
def remove(
    *, clients: tuple[str, ...], scope: str, project: Path | None, name: str, dry_run: bool
) -> Report:
    """Take the server, and the hooks if there are any, out of the configuration of CLIENTS.

    Examples:
        heimdall mcp remove cursor  # out of your configuration
    """
    from heimdall.mcp_clients import setup

    places = [_place(client, scope, project, name) for client in clients]
    return _carry_out(places, partial(setup.remove, dry_run=dry_run), "remove", dry_run=dry_run)


def _carry_out(
    places: Iterable[Place],
    act: Callable[[Place], Change],
    hooks: str,
    *,
    demanded: bool = False,
    dry_run: bool,
) -> Report:
    """Change one configuration after the other; one that can't be changed keeps no other from it.

    Args:
        places: the configurations.
        act: changes one.
        hooks: what to do with the hooks of each client that has some: "install", "remove" or nothing.
        demanded: whether a client without hooks is a failure.
        dry_run: change nothing.
    """
    from heimdall.hooks import installing
    from heimdall.mcp_clients.errors import ClientConfigError

    changes: list[Change] = []
    hook_changes: list[HookChange] = []
    failures = []
    act_on_hooks = {"install": installing.install, "remove": installing.remove}.get(hooks)
    for place in dict.fromkeys(places):
        try:
            changes.append(act(place))
        except ClientConfigError as error:
            failures.append(str(error))
        if act_on_hooks is None or not installing.has_hooks(place.client.name, place.scope):
            if demanded:
                failures.append(f"{place.client.title} has no hooks that heimdall can use")
            continue
        try:
            changed = act_on_hooks(
                place.client.name, scope=place.scope, root=place.root, dry_run=dry_run
            )
        except ClientConfigError as error:
            failures.append(str(error))
        else:
            hook_changes.append(changed)
    hook_changes = [one for one in hook_changes if hooks == "install" or one.action != "unchanged"]
    documents = [
        {**_document(change.place), "action": change.action, "backup": change.backup}
        | ({"text": change.text} if dry_run else {})
        for change in changes
    ]
    document = {"dry_run": dry_run, "changes": documents}
    if hooks:
        document["hooks"] = [
            {"client": one.client, "file": one.path, "action": one.action, "backup": one.backup}
            | ({"text": one.text} if dry_run else {})
            for one in hook_changes
        ]

    def show() -> None:
        _show_changes(changes, dry_run=dry_run)
        _show_hooks(hook_changes, dry_run=dry_run)

    return Report(document, show, errors=failures)


def _show_hooks(changes: Iterable[HookChange], *, dry_run: bool) -> None:
    for change in changes:
        changed = change.action != "unchanged"
        would = "would be " if dry_run and changed else ""
        told = f" {change.client}, hooks: {would}{change.action}, "
        output.line(output.mark("pass"), told, str(change.path))
        if dry_run and changed:
            output.paragraph(change.text or "(the file would be removed)", indent=2)
        if change.backup:
            output.line("  what was there is kept in ", str(change.backup))
        if changed and change.action != "removed" and not dry_run:
            output.paragraph(f"Then: {change.asks}.", indent=2)


def _show_changes(changes: Iterable[Change], *, dry_run: bool) -> None:
    for change in changes:
        changed = change.action != "unchanged"
        would = "would be " if dry_run and changed else ""
        _show_place(change.place, f"{would}{change.action}, ")
        if dry_run and changed:
            output.paragraph(change.text or "(the file would be removed)", indent=2)
        if change.backup:
            output.line("  what was there is kept in ", str(change.backup))
        if changed and change.action != "removed" and not dry_run:
            client = change.place.client
            asks = f" {client.asks}." if client.asks and change.place.scope == "project" else ""
            output.paragraph(f"Then: {client.after}.{asks}", indent=2)


@mcp.command()
@_project
@_name
def status(*, project: Path | None, name: str) -> Report:
    """Say where the server is configured, and start it there as the assistant would.

    Exit code 1 if it is configured nowhere, or if an entry or a file needs attention.

    Examples:
        heimdall mcp status  # every place where the server stands
    """
    from concurrent.futures import ThreadPoolExecutor

    from heimdall.mcp_clients import setup

    with ThreadPoolExecutor(4) as pool:
        everywhere = list(pool.map(setup.standing, setup.places(_root(project), name=name)))
    standings = [one for one in everywhere if one.state is not setup.State.ABSENT]

    def show() -> None:
        if not standings:
            output.paragraph(
                "No assistant is connected yet: 'heimdall mcp list' shows those that are here."
            )
        for standing in standings:
            told = f"version {standing.version}, {len(standing.tools)} tools, "
            untried = standing.state is setup.State.UNTRIED
            grade: Grade = "warn" if untried else "fail" if standing.problem else "pass"
            _show_place(standing.place, told if standing.version else "", grade=grade)
            if standing.problem:
                output.paragraph(standing.problem, indent=2)

    entries = [
        {
            **_document(one.place),
            "state": one.state,
            "problem": one.problem,
            "command": one.command,
            "version": one.version or None,
            "tools": list(one.tools),
        }
        for one in standings
    ]
    wanting = (setup.State.WRONG, setup.State.UNREADABLE)
    sound = bool(standings) and not any(one.state in wanting for one in standings)
    return Report({"entries": entries}, show, sound)


@mcp.command("list")
@_project
def list_(*, project: Path | None) -> Report:
    """List the assistants that can be connected, and their configuration files.

    Examples:
        heimdall mcp list  # the assistants, and their files
    """
    from heimdall.mcp_clients import setup

    places = [(place, setup.is_here(place.client)) for place in setup.places(_root(project))]
    documents = [
        {**_document(place), "title": place.client.title, "here": here} for place, here in places
    ]
    columns = [
        output.Column("client", whole=True),
        output.Column("here"),
        output.Column("scope", whole=True),
        output.Column("file"),
    ]
    yes, no = output.good("yes"), output.faint("no")
    rows = [
        (place.client.name, yes if here else no, place.scope, place.path) for place, here in places
    ]
    return Report({"clients": documents}, partial(output.table, columns, rows))


@mcp.command()
@click.argument("client")
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

    place = _place(client, scope, project, name)
    fixed = project.absolute() if project else None
    text = setup.snippet(place, command=command, project=fixed, variables=variables)
    return Report({**_document(place), "text": text}, partial(click.echo, text, nl=False))


def _root(project: Path | None) -> Path:
    from cognitive_memory.project.errors import NoProjectError
    from cognitive_memory.project.find import find_project

    try:
        return find_project(project, named=project is not None).root
    except NoProjectError as error:  # an assistant may be set up for all projects from anywhere
        return error.path


def _place(client: str, scope: str, project: Path | None, name: str) -> Place:
    from heimdall.mcp_clients.clients import client_named
    from heimdall.mcp_clients.places import Place

    return Place(client=client_named(client), scope=scope, root=_root(project), name=name)


def _document(place: Place) -> dict[str, object]:
    return {"client": place.client.name, "scope": place.scope, "file": place.path}


def _show_place(place: Place, told: str = "", *, grade: Grade = "pass") -> None:
    mark = output.mark(grade)
    output.line(mark, f" {place.client.title}, {place.scope}: {told}", str(place.path))
