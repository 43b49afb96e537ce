"""What users are told to type, which Windows has other words for."""

from __future__ import annotations

import os
from pathlib import Path

WINDOWS = os.name == "nt"
_IN_USE = frozenset({5, 32, 33, 1224})
"""Windows' numbers for what a program keeps: access denied, a sharing violation, a locked part, a mapped section."""


def take_over(path: Path, *, windows: bool = WINDOWS) -> str:
    """How a user gets the right to change what somebody else owns."""
    if windows:
        return f'give yourself the right to change it (icacls "{path}" /grant "%USERNAME%":F)'
    return "make it writable for you (chown)"


def how_to_set(variable: str, *, windows: bool = WINDOWS) -> str:
    """How a variable is set and unset in the shells of Windows, to stand behind an advice; elsewhere everybody knows."""
    if not windows:
        return ""
    return f" (cmd.exe: set {variable}=VALUE, without a value to unset it; PowerShell: $env:{variable} = 'VALUE')"


def in_use(error: OSError) -> Path | None:
    """The file that can't be changed because a program has it open, which is so on Windows alone."""
    if getattr(error, "winerror", None) not in _IN_USE:
        return None
    for name in (error.filename2, error.filename):  # of a rename, what is to be replaced
        if isinstance(name, str) and Path(name).is_file() and os.access(name, os.W_OK):
            return Path(name)
    return None
