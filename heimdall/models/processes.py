"""Which process made a file, told by the file's name, and whether that process still runs."""

from __future__ import annotations

import os
import re
import sys
from functools import cache
from pathlib import Path

_names: set[str] = set()
"""What this process has called itself: another one may have had its number before."""
_OWNER = re.compile(r"([A-Za-z0-9_]+)\.([0-9]{1,10})-")


def host_name() -> str:
    """This machine's name without its domain, as letters, digits and underscores; of a Mac, its own number."""
    if sys.platform == "darwin" and (number := _number_of_a_mac()):
        return number
    # Not by `socket`, whose import every command would pay for.
    name = os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")
    return re.sub(r"[^A-Za-z0-9]+", "_", name.partition(".")[0]) or "host"


@cache
def _number_of_a_mac() -> str:
    """What stays the same whatever network it is in, which its name does not; empty where it is not told."""
    import ctypes

    number, wait = ctypes.create_string_buffer(16), (ctypes.c_long * 2)(1, 0)
    try:
        failed = ctypes.CDLL(None).gethostuuid(number, wait)
    except (OSError, AttributeError):
        return ""
    return "" if failed else number.raw.hex()


def this_process() -> str:
    """This process as names of files tell it: its host and its number."""
    return f"{host_name()}.{os.getpid()}"


def new_owner() -> str:
    """This process as the name of a file tells it that `is_gone` is asked about, with what no other file's name has."""
    name = f"{this_process()}-{os.urandom(4).hex()}"
    _names.add(name)
    return name


def is_own_name(owner: str) -> bool:
    """Whether this process made the file with this owner in its name."""
    return owner in _names


def is_gone(owner: str) -> bool:
    """Whether the process that made a file with this owner in its name is known not to run any more.

    Numbers begin anew when a container starts again: this process knows which names it made, and what else has its
    number is of a process before it.
    """
    host, pid = _host_and_number(owner)
    if host != host_name():
        return False
    if pid == os.getpid():
        return owner not in _names
    return is_running(pid) is False


def is_of_another_machine(owner: str) -> bool:
    """Whether a file with this owner in its name was made where the machine had another name."""
    return _host_and_number(owner)[0] not in {host_name(), ""}


def _host_and_number(owner: str) -> tuple[str, int]:
    match = _OWNER.match(owner)
    return (match[1], int(match[2])) if match else ("", 0)


def is_running(pid: int) -> bool | None:
    """Whether a process of that number runs on this machine; None where that can't be asked."""
    if os.name == "nt":  # os.kill would end it there
        from . import windows

        return windows.is_running(pid)
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # another user's
        pass
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Whether it has ended, and nobody has asked how: in a container often nobody ever does."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False  # a system that does not tell
    # Its name, in parentheses, may have any character in it.
    return stat.rpartition(b")")[2].split()[:1] == [b"Z"]
