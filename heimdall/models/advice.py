"""What users are told to type, which Windows has other words for."""

from __future__ import annotations

import os
from pathlib import Path

WINDOWS = os.name == "nt"


def take_over(path: Path, *, windows: bool = WINDOWS) -> str:
    """How a user gets the right to change what somebody else owns."""
    if windows:
        return f'give yourself the right to change it (icacls "{path}" /grant "%USERNAME%":F)'
    return "make it writable for you (chown)"


def argument(path: str | os.PathLike[str], *, windows: bool = WINDOWS) -> str:
    """A path as a command's argument in a shell; on Windows as cmd.exe and PowerShell both read it."""
    import re
    import shlex

    if not windows:
        return shlex.quote(str(path))
    return str(path) if re.fullmatch(r"[\w.:/\\-]+", str(path)) else f'"{path}"'


def how_to_set(variable: str, *, windows: bool = WINDOWS) -> str:
    """How a variable is set and unset in the shells of Windows, to stand behind an advice; elsewhere everybody knows."""
    if not windows:
        return ""
    return f" (cmd.exe: set {variable}=VALUE, without a value to unset it; PowerShell: $env:{variable} = 'VALUE')"
