"""Changing the configurations of several assistants, and telling what became of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from heimdall.cli import output
from heimdall.cli.mcp_places import as_document, show_file
from heimdall.models.report import Report

if TYPE_CHECKING:
    from heimdall.mcp_clients.changing import Change
    from heimdall.mcp_clients.clients import Client
    from heimdall.mcp_clients.places import Place


def carry_out(
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

    changes: list[tuple[Place, Change]] = []
    hook_changes: list[tuple[Client, Change]] = []
    failures = []
    act_on_hooks = {"install": installing.install, "remove": installing.remove}.get(hooks)
    for place in dict.fromkeys(places):
        client, scope = place.client, place.scope
        try:
            changes.append((place, act(place)))
        except ClientConfigError as error:
            failures.append(str(error))
        if act_on_hooks is None or not installing.has_hooks(client.name, scope):
            if demanded:
                failures.append(f"{client.title} has no hooks that heimdall can use")
            continue
        try:
            done = act_on_hooks(client.name, scope=scope, root=place.root, dry_run=dry_run)
        except ClientConfigError as error:
            failures.append(str(error))
        else:
            # Of what was not there nothing is said.
            told = (one for one in done if hooks == "install" or one.action != "unchanged")
            hook_changes += [(client, one) for one in told]
    document: dict[str, object] = {
        "dry_run": dry_run,
        "changes": [as_document(place) | _told(one, dry_run=dry_run) for place, one in changes],
    }
    if hooks:
        document["hooks"] = [
            {"client": client.name, "file": one.path, **_told(one, dry_run=dry_run)}
            for client, one in hook_changes
        ]

    def show() -> None:
        for place, one in changes:
            client, scope = place.client, place.scope
            asks = f" {client.asks}." if client.asks and scope == "project" else ""
            _show(one, f"{client.title}, {scope}", f"{client.after}.{asks}", dry_run=dry_run)
        # What the user has to do is said once, behind the last of an assistant's files.
        last = {client.name: number for number, (client, _) in enumerate(hook_changes)}
        for number, (client, one) in enumerate(hook_changes):
            is_last = number == last[client.name]
            then = f"{installing.asked_of_user(client.name)}." if is_last else ""
            _show(one, f"{client.title}, hooks", then, dry_run=dry_run)

    return Report(document, show, errors=failures)


def _told(change: Change, *, dry_run: bool) -> dict[str, object]:
    text = {"text": change.text} if dry_run else {}
    return {"action": change.action, "backup": change.backup, **text}


def _show(change: Change, what: str, then: str, *, dry_run: bool) -> None:
    """Print what became of a file, and what its owner has to do next."""
    changed = change.action != "unchanged"
    told = f"{'would be ' if dry_run and changed else ''}{change.action}, "
    show_file(what, told, change.path)
    if dry_run and changed:
        output.paragraph(change.text or "(the file would be removed)", indent=2)
    if change.backup:
        output.line("  what was there is kept in ", str(change.backup))
    if then and changed and change.action != "removed" and not dry_run:
        output.paragraph(f"Then: {then}", indent=2)
