"""Which process made a file, told by the file's name, and whether that process still runs."""

from __future__ import annotations

import os
import re


def host_name() -> str:
    """This machine's name without its domain, as letters, digits and underscores."""
    # Not by `socket`, whose import every command would pay for.
    name = os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")
    return re.sub(r"[^A-Za-z0-9]+", "_", name.partition(".")[0]) or "host"


def this_process() -> str:
    """This process as names of files tell it: its host and its number."""
    return f"{host_name()}.{os.getpid()}"


def is_running(pid: int) -> bool | None:
    """Whether a process of that number runs on this machine; None where that can't be asked."""
    if os.name == "nt":
        return None  # os.kill would end it there
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # another user's
        return True
    return True
