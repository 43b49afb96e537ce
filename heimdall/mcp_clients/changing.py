"""Changing a client's file as a function of its text says, and telling what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from heimdall.cognitive_system.data_dirs import get_heimdall_data_dir
from heimdall.mcp_clients.config_file import ConfigFile
from heimdall.mcp_clients.errors import ClientConfigError, FileChangedError, FormatError
from heimdall.models.locking import advisory_lock

_LOCK_SECONDS = 30.0
_TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What was done, or would be, to a client's file.

    Attributes:
        path: the file.
        action: "added", "updated", "removed" or "unchanged".
        backup: the copy of what was there before; None if nothing was changed or there was nothing.
        text: what the file holds now; empty if it is removed.
    """

    path: Path
    action: str
    backup: Path | None
    text: str


def change_file(
    path: Path,
    edit: Callable[[str], str],
    has_ours: Callable[[str], bool],
    *,
    remedy: str = "",
    dry_run: bool = False,
) -> Change:
    """Change a client's file, with a copy of what was there.

    Args:
        path: the file.
        edit: from the old text to the new one; raises `FormatError`.
        has_ours: whether a text holds what is put in or taken out.
        remedy: what a person can do where it can't be changed.
        dry_run: change nothing.

    Raises:
        ClientConfigError: the file can't be read, understood or changed; it is as it was.
    """

    def once() -> Change:
        file = ConfigFile.read(path)
        with naming(path, remedy):
            text = edit(file.text)
            if text == file.text:
                return Change(path=path, action="unchanged", backup=None, text=text)
            was, is_now = has_ours(file.text), has_ours(text)
        action = "removed" if not is_now else "updated" if was else "added"
        copies = get_heimdall_data_dir() / "backups"
        backup = None if dry_run else file.replace(text, copies)
        return Change(path=path, action=action, backup=backup, text=text)

    if dry_run:
        return once()
    with suppress(OSError):  # without a lock it is right as well
        get_heimdall_data_dir().mkdir(parents=True, exist_ok=True)
    lock = get_heimdall_data_dir() / "mcp-clients.lock"
    # Other programs don't ask for our lock: what they write meanwhile is read, and the change made
    # to that.
    with advisory_lock(lock, _LOCK_SECONDS):
        for _ in range(_TRIES - 1):
            with suppress(FileChangedError):
                return once()
        return once()


@contextmanager
def naming(path: Path, remedy: str = "") -> Iterator[None]:
    """Give problems of a text the name of its file, and what a person can do."""
    try:
        yield
    except FormatError as error:
        raise ClientConfigError(path, f"can't be understood: {error}", remedy) from error
