"""The hooks in a host's own file, as text: put in, taken out, and nothing else changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from heimdall.hooks.hosts import HOSTS, Event, Host
from heimdall.hooks.program import arguments, command_line, is_ours
from heimdall.mcp_clients.clients import CLIENTS
from heimdall.mcp_clients.errors import FormatError
from heimdall.mcp_clients.formats import jsonc


def seconds(event: Event) -> int:
    """How long a host waits for one of our hooks; none takes a tenth of it."""
    # At a session's end Codex waits for three, and warns at each start if it is told more.
    return 3 if event is Event.SESSION_END else 10


@dataclass(frozen=True, slots=True, kw_only=True)
class HookFile:
    """Where a host has its hooks, and in what shape: the part `hooks` of its row in the table of clients.

    Attributes:
        host: whose.
        user_file: the user's, as in the table's other paths.
        project_file: a project's, relative to its root; empty if it has none.
        grouped: whether a hook stands in a list `hooks` of a group, as Claude Code has it.
        with_args: whether program and arguments are apart, so that no shell is needed.
        named: whether the file is this host's alone, so that hooks name it.
        unit: how many make a second of its time-outs.
        timeout_key: how it calls them.
        fixed: members that the file must have.
        asks: what its user has to do before a hook runs.
    """

    host: Host
    user_file: str
    project_file: str = ""
    grouped: bool = True
    with_args: bool = False
    named: bool = True
    unit: int = 1
    timeout_key: str = "timeout"
    fixed: Mapping[str, Any] = field(default_factory=dict)
    asks: str = ""


HOOK_FILES = {
    name: HookFile(host=HOSTS[name], **client.hooks)
    for name, client in CLIENTS.items()
    if client.hooks
}
"""The hosts whose hooks stand in a file of JSON."""


def put_hooks(text: str, file: HookFile, program: str) -> str:
    """Put a hook for each event into a file, in the place of those that are ours already.

    Args:
        text: the file; a blank one is filled.
        file: whose.
        program: where our program is.

    Raises:
        FormatError: the text is no JSON of such a file, or can't be changed without losing something.
    """
    old = _events(text)
    changed = text
    for member, value in file.fixed.items():
        if member not in (jsonc.read(text) if text.strip() else {}):
            changed = jsonc.put(changed, [member], value)
    for event, name in file.host.events.items():
        wanted = _hook(file, event, program)
        hooks = [*_others(old.get(name, [])), wanted]
        if hooks != old.get(name):
            changed = jsonc.put(changed, ["hooks", name], hooks)
    return _checked(text, changed)


def drop_hooks(text: str, file: HookFile) -> str:
    """Take our hooks out of a file; an empty text if nothing else was in it.

    Raises:
        FormatError: as `put_hooks`.
    """
    changed = text
    for name, hooks in _events(text).items():
        rest = _others(hooks)
        if rest == hooks:
            continue
        keys = ["hooks", name]
        changed = jsonc.put(changed, keys, rest) if rest else jsonc.remove(changed, keys)
    if changed == text:
        return text
    left = jsonc.read(_checked(text, changed))
    return "" if left in ({}, dict(file.fixed)) else changed


def _hook(file: HookFile, event: Event, program: str) -> dict[str, Any]:
    client = file.host.name if file.named else ""
    hook: dict[str, Any] = {"type": "command"}
    if file.with_args:
        hook |= {"command": program, "args": arguments(event, client)}
    else:
        hook["command"] = command_line(program, event, client)
    hook[file.timeout_key] = seconds(event) * file.unit
    if event is Event.STOP and file.host.name == "claude-code":
        hook["async"] = True  # nobody waits for it, and it answers nothing
    return {"hooks": [hook]} if file.grouped else hook


def _events(text: str) -> dict[str, list[Any]]:
    """The hooks of each event."""
    content = jsonc.read(text) if text.strip() else {}
    hooks = content.get("hooks", {}) if isinstance(content, dict) else None
    if not isinstance(hooks, dict):
        raise FormatError("hooks is no object, expected lists by the events' names")
    for name, one in hooks.items():
        if not isinstance(one, list) and name in _NAMES:
            raise FormatError(f"hooks.{name} is no list")
    return {name: one for name, one in hooks.items() if isinstance(one, list)}


_NAMES = {name for host in HOSTS.values() for name in host.events.values()}


def _others(hooks: Sequence[Any]) -> list[Any]:
    """The hooks of an event that are not ours."""
    left: list[Any] = []
    for group in hooks:
        if not isinstance(group, dict):
            left.append(group)
        elif isinstance(inner := group.get("hooks"), list):
            rest = [hook for hook in inner if not _is_ours(hook)]
            if rest == inner:
                left.append(group)
            elif rest:
                left.append({**group, "hooks": rest})
        elif not _is_ours(group):
            left.append(group)
    return left


def _is_ours(hook: object) -> bool:
    return isinstance(hook, dict) and is_ours(hook.get("command"), hook.get("args"))


def _checked(old: str, new: str) -> str:
    """The new text, if all but our hooks is as it was: values, their order, and comments.

    Raises:
        FormatError: something else would be lost.
    """

    def others(text: str) -> str:
        content = jsonc.read(text) if text.strip() else {}
        events = {name: _others(hooks) for name, hooks in _events(text).items()}
        rest = {key: value for key, value in content.items() if key not in {"hooks", "version"}}
        unknown = {
            name: value for name, value in content.get("hooks", {}).items() if name not in events
        }
        return repr((rest, unknown, {name: hooks for name, hooks in events.items() if hooks}))

    if others(old) != others(new) or old.count("//") + old.count("/*") > new.count(
        "//"
    ) + new.count("/*"):
        raise FormatError("it is written in a form in which the hooks can't be changed alone")
    return new
