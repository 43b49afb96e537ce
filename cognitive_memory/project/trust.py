"""Folders of other owners that the user trusts, as git's `safe.directory`.

They are named by `$HEIMDALL_TRUST`, or by `heimdall project trust`, which keeps them in the data directory. Names are
of project directories, compared as `real_path` has them; what lies below a named one is not trusted with it. `*` names
all.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
from pathlib import Path

from cognitive_memory.project.errors import ProjectError
from cognitive_memory.project.real_path import real_path
from heimdall.models import locations
from heimdall.models.regular_file import open_regular

VARIABLE = "HEIMDALL_TRUST"
ALL = "*"
_MOST_BYTES = 1 << 20  # thousands of names; more can't be meant
_LOCK_SECONDS = 10.0
_log = logging.getLogger(__name__)


def is_trusted(root: Path) -> bool:
    """Whether a project's directory is named by the environment or in the data directory.

    Raises:
        SettingsError: as `named_in_environment` does.
    """
    return named_in_environment(root) or _is_among(root, kept())


def in_environment() -> list[str]:
    """What `$HEIMDALL_TRUST` names, links resolved.

    Raises:
        SettingsError: as `named_in_environment` does.
    """
    value = os.environ.get(VARIABLE)
    return _entries(value) if value else []


def named_in_environment(root: Path) -> bool:
    """Whether `$HEIMDALL_TRUST` names a project's directory: paths separated as in `PATH`, or `*`.

    It is read from the environment alone, so that nothing in a folder can set it.

    Raises:
        SettingsError: an entry is empty or relative: what it names would depend on the working directory.
    """
    return _is_among(root, in_environment())


def kept() -> list[str]:
    """What `heimdall project trust` has kept for this user, the oldest first; nothing if its file is not this user's."""
    try:
        with os.fdopen(open_regular(_file()), "rb") as file:
            _check_owner(os.fstat(file.fileno()))
            content = file.read(_MOST_BYTES)
    except FileNotFoundError:
        return []
    except (OSError, ProjectError) as error:
        _log.warning("the list of trusted projects is not believed: %s", error)
        return []
    names: dict[str, None] = {}
    for line in content.splitlines():
        try:
            name, trusted = json.loads(line)
            names.pop(name, None)
        except (ValueError, TypeError):  # cut by a full disk
            continue
        if trusted:
            names[name] = None
    return list(names)


def keep(root: Path | None) -> str:
    """Trust a project's directory from now on; None: all of them.

    Returns:
        The name that is kept.

    Raises:
        ProjectError: the file in the data directory is not this user's own.
        OSError: it can't be written.
    """
    name = name_of(root)
    _append(name, trusted=True)
    return name


def forget(root: Path | None) -> bool:
    """Trust a project's directory no more; None takes `*` back. Tells whether it was kept.

    Raises:
        As `keep` does.
    """
    name = name_of(root)
    if name not in kept():
        return False
    _append(name, trusted=False)
    return True


def name_of(root: Path | None) -> str:
    """Under which name a project's directory is kept: its path without links; `*` for all."""
    return ALL if root is None else str(real_path(root))


def _append(name: str, *, trusted: bool) -> None:
    # One line in one write at the end: of several processes none loses what another one says.
    line = json.dumps([name, trusted]).encode() + b"\n"
    _file().parent.mkdir(parents=True, exist_ok=True)
    with _alone():
        descriptor = open_regular(_file(), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            _check_owner(os.fstat(descriptor))
            os.write(descriptor, line)
        finally:
            os.close(descriptor)


def _alone() -> contextlib.AbstractContextManager[object]:
    """No other process writes meanwhile; on Windows, where C's library looks for the end first, and then writes."""
    if os.name != "nt":
        return contextlib.nullcontext()
    from heimdall.models.locking import advisory_lock

    return advisory_lock(_file().with_suffix(".lock"), _LOCK_SECONDS)


def _check_owner(status: os.stat_result) -> None:
    """Raise unless a file is this user's own word."""
    if os.name == "nt":
        return
    if status.st_uid != os.geteuid():
        raise ProjectError(_file(), f"belongs to another user (uid {status.st_uid}); remove it")
    if status.st_mode & 0o022:
        raise ProjectError(_file(), "may be written by others; remove it, or 'chmod 600' it")


def _file() -> Path:
    # A data directory may be shared by a group; what one of them trusts is no word of the others.
    user = "" if os.name == "nt" else f"-{os.geteuid()}"
    return Path(locations.data_dir()) / f"trusted-projects{user}.jsonl"


def _entries(value: str) -> list[str]:
    entries = value.split(os.pathsep)
    with contextlib.suppress(RuntimeError):  # a home that is nobody's
        paths = [Path(entry).expanduser() for entry in entries if entry != ALL]
        if all(path.is_absolute() for path in paths):
            return [*map(name_of, paths), *([ALL] if ALL in entries else [])]
    from heimdall.models.settings import SettingsError

    expected = f"absolute paths of projects, separated by {os.pathsep!r} and none of them empty, or {ALL!r} for all"
    raise SettingsError(VARIABLE, value, expected)


def _is_among(root: Path, names: list[str]) -> bool:
    return ALL in names or name_of(root) in names
