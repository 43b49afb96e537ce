"""SQLite as it is elsewhere: on volumes that allow no write-ahead log, and as Apple builds it."""

from __future__ import annotations

import ctypes
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

_PERSIST_LOG = 10
"""`SQLITE_FCNTL_PERSIST_WAL`."""


def without_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let SQLite have no shared memory, as on a share over SMB, and no locks."""
    connect = sqlite3.connect
    try:
        connect("file:?vfs=unix-none", uri=True).close()
    except sqlite3.OperationalError:
        pytest.skip("SQLite has no such filesystem here")

    def elsewhere(database: str | Path, *rest: Any, **options: Any) -> sqlite3.Connection:
        if str(database) == ":memory:":
            return connect(database, *rest, **options)
        given = options.pop("uri", False)
        address = f"{database}&" if given else f"{Path(database).absolute().as_uri()}?"
        return connect(f"{address}vfs=unix-none", *rest, uri=True, **options)

    monkeypatch.setattr(sqlite3, "connect", elsewhere)


def keeping_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the last one who closes a database leave its log, as Apple's SQLite does; skipped where that can't be asked for."""
    connect, control = sqlite3.connect, _file_control()

    def apples(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*arguments, **options)
        pointer = ctypes.c_void_p.from_address(id(connection) + object.__basicsize__)
        control(pointer, b"main", _PERSIST_LOG, ctypes.byref(ctypes.c_int(1)))
        return connection

    monkeypatch.setattr(sqlite3, "connect", apples)


def _file_control() -> Callable[..., int]:
    import _sqlite3

    try:
        control = ctypes.CDLL(getattr(_sqlite3, "__file__", None)).sqlite3_file_control
    except (AttributeError, OSError):
        pytest.skip("this Python does not show its SQLite")
    control.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p]
    called: Callable[..., int] = control
    return called
