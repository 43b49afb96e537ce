"""Putting our hooks into a host's configuration, taking them out, and telling where they are."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from heimdall.hooks import own_files
from heimdall.hooks.hook_files import HOOK_FILES, drop_hooks, put_hooks
from heimdall.hooks.own_files import OWN_FILES
from heimdall.hooks.program import NAME, program
from heimdall.mcp_clients.changing import Change, change_file
from heimdall.mcp_clients.clients import CLIENTS, SCOPES, USER
from heimdall.mcp_clients.errors import ClientConfigError
from heimdall.mcp_clients.places import DEFAULTS, filled, home
from heimdall.mcp_clients.setup import State

_DEFAULTS = {**DEFAULTS, "CLAUDE_CONFIG_DIR": "~/.claude"}

HOSTS_WITH_HOOKS = (*HOOK_FILES, *OWN_FILES)
"""The clients that we put hooks into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HookStanding:
    """How our hooks stand in a client's configuration.

    Attributes:
        client: whose.
        scope: "user" or "project".
        file: the file, or the first of several.
        state: whether they are there, and as an install would write them.
        problem: what is wrong and what to do; empty if nothing is.
    """

    client: str
    scope: str
    file: Path
    state: State
    problem: str = ""


def has_hooks(client: str, scope: str) -> bool:
    """Whether a client has hooks of a scope that we put ours into."""
    return bool(_targets(client, scope, Path()))


def asked_of_user(client: str) -> str:
    """What the user has to do before a hook of a client runs."""
    shared = HOOK_FILES.get(client)
    return shared.asks if shared else f"start a new session of {CLIENTS[client].title}"


def install(client: str, *, scope: str, root: Path, dry_run: bool = False) -> list[Change]:
    """Put our hooks into a client's files, or bring them up to date.

    Args:
        client: one that `has_hooks`.
        scope: "user" or "project".
        root: the project.
        dry_run: change nothing.

    Raises:
        ClientConfigError: a file can't be read, understood or changed; it is as it was.
    """
    # A project's file is shared with people who have the program elsewhere.
    where = program() if scope == USER else NAME
    return [
        _change(target, partial(target.put, program=where), dry_run=dry_run)
        for target in _targets(client, scope, root)
    ]


def remove(client: str, *, scope: str, root: Path, dry_run: bool = False) -> list[Change]:
    """Take our hooks out of a client's files. One that holds nothing else is removed.

    Raises:
        ClientConfigError: as `install`.
    """
    return [
        _change(target, target.drop, dry_run=dry_run) for target in _targets(client, scope, root)
    ]


def standings(root: Path) -> Iterator[HookStanding]:
    """Everywhere that our hooks can stand.

    Args:
        root: the project.
    """
    seen: set[Path] = set()  # the project may be the home directory
    for scope in SCOPES:
        for client in HOSTS_WITH_HOOKS:
            paths = paths_of(client, scope, root)
            if paths and paths[0] not in seen:
                seen.add(paths[0])
                state, problem = _state(client, scope, root)
                yield HookStanding(
                    client=client, scope=scope, file=paths[0], state=state, problem=problem
                )


def paths_of(client: str, scope: str, root: Path) -> list[Path]:
    """The files of a client's hooks, whether they exist or not; none if it has none of that scope."""
    return [target.path for target in _targets(client, scope, root)]


@dataclass(frozen=True, slots=True)
class _Target:
    """A file, and how hooks are put into its text and taken out."""

    path: Path
    put: Callable[..., str]
    drop: Callable[[str], str]
    executable: bool = False


def _targets(client: str, scope: str, root: Path) -> list[_Target]:
    def path(user_file: str, project_file: str) -> Path | None:
        if scope == USER:
            return Path(filled(user_file, home(), os.environ, _DEFAULTS))
        return root / project_file if project_file else None

    if shared := HOOK_FILES.get(client):
        place = path(shared.user_file, shared.project_file)
        put, drop = partial(put_hooks, file=shared), partial(drop_hooks, file=shared)
        return [_Target(place, put, drop)] if place else []
    return [
        _Target(place, partial(own_files.put, file=file), own_files.drop, file.executable)
        for file in OWN_FILES.get(client, ())
        if (place := path(file.user_file, file.project_file))
    ]


def _change(target: _Target, edit: Callable[[str], str], *, dry_run: bool) -> Change:
    made = change_file(target.path, edit, lambda text: target.drop(text) != text, dry_run=dry_run)
    if target.executable and made.text and not dry_run:
        target.path.chmod(target.path.stat().st_mode | 0o111)
    return made


def _state(client: str, scope: str, root: Path) -> tuple[State, str]:
    """As what would be done tells it."""
    try:
        if all(
            one.action == "unchanged"
            for one in remove(client, scope=scope, root=root, dry_run=True)
        ):
            return State.ABSENT, ""
        if all(
            one.action == "unchanged"
            for one in install(client, scope=scope, root=root, dry_run=True)
        ):
            return State.INSTALLED, ""
    except ClientConfigError as error:
        return State.UNREADABLE, error.problem
    return State.WRONG, (
        "not as this installation would write them; "
        f"'heimdall mcp install {client} --scope {scope} --hooks' puts that right"
    )
