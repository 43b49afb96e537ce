"""Changing the configurations of several assistants, and telling what became of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from heimdall.cli import output
from heimdall.cli.mcp_places import as_document, show_file
from heimdall.models.report import Report

if TYPE_CHECKING:
    from heimdall.hooks.installing import HookChange
    from heimdall.mcp_clients.places import Place
    from heimdall.mcp_clients.setup import Change


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
    from heimdall.mcp_clients.clients import CLIENTS
    from heimdall.mcp_clients.errors import ClientConfigError

    changes: list[Change] = []
    hook_changes: list[HookChange] = []
    failures = []
    act_on_hooks = {"install": installing.install, "remove": installing.remove}.get(hooks)
    for place in dict.fromkeys(places):
        client, scope = place.client, place.scope
        try:
            changes.append(act(place))
        except ClientConfigError as error:
            failures.append(str(error))
        if act_on_hooks is None or not installing.has_hooks(client.name, scope):
            if demanded:
                failures.append(f"{client.title} has no hooks that heimdall can use")
            continue
        try:
            hook_changes += act_on_hooks(client.name, scope=scope, root=place.root, dry_run=dry_run)
        except ClientConfigError as error:
            failures.append(str(error))
    hook_changes = [one for one in hook_changes if hooks == "install" or one.action != "unchanged"]
    document: dict[str, object] = {
        "dry_run": dry_run,
        "changes": [as_document(one.place) | _told(one, dry_run=dry_run) for one in changes],
    }
    if hooks:
        document["hooks"] = [
            {"client": one.client, "file": one.path, **_told(one, dry_run=dry_run)}
            for one in hook_changes
        ]

    def show() -> None:
        for one in changes:
            client, scope = one.place.client, one.place.scope
            asks = f" {client.asks}." if client.asks and scope == "project" else ""
            what = f"{client.title}, {scope}"
            _show(one, what, one.place.path, f"{client.after}.{asks}", dry_run=dry_run)
        for number, hook in enumerate(hook_changes, 1):
            last = hook_changes[number : number + 1]
            then = "" if last and last[0].client == hook.client else f"{hook.asks}."
            _show(hook, f"{CLIENTS[hook.client].title}, hooks", hook.path, then, dry_run=dry_run)

    return Report(document, show, errors=failures)


def _told(change: Change | HookChange, *, dry_run: bool) -> dict[str, object]:
    text = {"text": change.text} if dry_run else {}
    return {"action": change.action, "backup": change.backup, **text}


def _show(change: Change | HookChange, what: str, path: Path, then: str, *, dry_run: bool) -> None:
    """Print what became of a file, and what its owner has to do next."""
    changed = change.action != "unchanged"
    show_file(what, f"{'would be ' if dry_run and changed else ''}{change.action}, ", path)
    if dry_run and changed:
        output.paragraph(change.text or "(the file would be removed)", indent=2)
    if change.backup:
        output.line("  what was there is kept in ", str(change.backup))
    if then and changed and change.action != "removed" and not dry_run:
        output.paragraph(f"Then: {then}", indent=2)
