"""The command `heimdall mcp status`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from heimdall.cli import output
from heimdall.cli.command import command
from heimdall.cli.mcp_places import (
    as_document,
    name_option,
    project_root,
    show_file,
    shown_project_option,
)
from heimdall.cli.output import Grade
from heimdall.models.report import Report

if TYPE_CHECKING:
    from heimdall.hooks.installing import HookStanding
    from heimdall.mcp_clients.setup import Standing


@command()
@shown_project_option
@name_option
def status(*, project: Path | None, name: str) -> Report:
    """Say where the server is configured, and start it there as the assistant would.

    And where hooks are. Exit code 1 if the server is configured nowhere, or if an entry, hooks or a file need attention.

    Examples:
        heimdall mcp status  # every place where the server stands
    """
    from concurrent.futures import ThreadPoolExecutor

    from heimdall.hooks import installing
    from heimdall.mcp_clients import setup
    from heimdall.mcp_clients.clients import CLIENTS

    root = project_root(project)
    with ThreadPoolExecutor(4) as pool:
        everywhere = list(pool.map(setup.standing, setup.places(root, name=name)))
    standings = [one for one in everywhere if one.state is not setup.State.ABSENT]
    hooks = [one for one in installing.standings(root) if one.state is not setup.State.ABSENT]

    def show() -> None:
        if not standings:
            output.paragraph(
                "No assistant is connected yet: 'heimdall mcp list' shows those that are here."
            )
        for standing in standings:
            told = f"version {standing.version}, {len(standing.tools)} tools, "
            what = f"{standing.place.client.title}, {standing.place.scope}"
            _show(what, told if standing.version else "", standing.place.path, standing)
        for hook in hooks:
            _show(f"{CLIENTS[hook.client].title}, {hook.scope}, hooks", "", hook.file, hook)

    entries = [
        {
            **as_document(one.place),
            "state": one.state,
            "problem": one.problem,
            "command": one.command,
            "version": one.version or None,
            "tools": list(one.tools),
        }
        for one in standings
    ]
    documents = [output.fields_of(one) for one in hooks]
    wanting = {setup.State.WRONG, setup.State.UNREADABLE}
    states = {one.state for one in standings} | {one.state for one in hooks}
    sound = bool(standings) and not states & wanting
    return Report({"entries": entries, "hooks": documents}, show, sound)


def _show(what: str, told: str, path: Path, standing: Standing | HookStanding) -> None:
    grade: Grade = "pass"
    if standing.problem:
        grade = "warn" if standing.state == "untried" else "fail"
    show_file(what, told, path, grade=grade)
    if standing.problem:
        output.paragraph(standing.problem, indent=2)
