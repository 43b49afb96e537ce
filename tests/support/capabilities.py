"""What a file system or a system can do, tried out: marks that skip the tests of what it can't."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import pytest

_MISSING = {
    (os, "mkfifo"): "there are no named pipes here",
    (os, "chown"): "files can't be given away here",
    (os, "fork"): "there is no fork here",
}
"""By function that some systems alone have: why a test that calls it is skipped."""


def skip_at_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put in the place of what can't be done here what skips the test that does it."""
    for (module, name), reason in _MISSING.items():
        if not hasattr(module, name):
            monkeypatch.setattr(module, name, partial(_skip, reason), raising=False)
    if not HAS_LINKS:
        monkeypatch.setattr(Path, "symlink_to", partial(_skip, "symbolic links can't be made here"))
    if not hasattr(signal, "SIGKILL"):
        monkeypatch.setattr(subprocess.Popen, "send_signal", _end_and_skip)


def _skip(reason: str, *_arguments: object, **_options: object) -> NoReturn:
    pytest.skip(reason)


def _end_and_skip(process: subprocess.Popen[Any], _number: int) -> NoReturn:
    with process:
        process.kill()  # whoever waits for it would wait for ever
    pytest.skip("processes can't be sent signals here")


def program(name: str) -> str:
    """The path of a program that is no part of the project; without it the test is skipped."""
    return shutil.which(name) or _skip(f"there is no program {name} here")


def can_be_named(folder: Path, name: str) -> bool:
    """Whether a file of exactly that name can be made in a folder: neither refused, nor another file's, nor a device."""
    with contextlib.suppress(OSError, UnicodeError):
        (folder / name).write_bytes(b"x")
        return any(path.name == name for path in folder.iterdir())
    return False


def _has_links(folder: Path) -> bool:
    with contextlib.suppress(OSError, NotImplementedError):
        (folder / "link").symlink_to("target")
        return (folder / "link").is_symlink()
    return False


def _removes_what_is_open(folder: Path) -> bool:
    with contextlib.suppress(PermissionError), (folder / "open").open("wb"):
        (folder / "open").unlink()
        return True
    return False


def _obeys_modes(folder: Path) -> bool:
    (folder / "moded").touch()
    (folder / "moded").chmod(0o640)
    return (folder / "moded").stat().st_mode & 0o777 == 0o640


with tempfile.TemporaryDirectory() as _name:
    _folder = Path(_name)
    HAS_LINKS, _modes = _has_links(_folder), _obeys_modes(_folder)
    REMOVES_WHAT_IS_OPEN = _removes_what_is_open(_folder)
    (_folder / "Case").touch()
    TELLS_CASES = not (_folder / "cASE").exists()
    _odd_names = can_be_named(_folder, 'a"b?')
    _any_bytes = os.name == "posix" and can_be_named(_folder, os.fsdecode(b"caf\xe9"))

needs_links = pytest.mark.skipif(not HAS_LINKS, reason="symbolic links can't be made here")
needs_modes = pytest.mark.skipif(not _modes, reason="files have no modes here")
needs_cases = pytest.mark.skipif(not TELLS_CASES, reason="names' case makes no difference here")
needs_removal = pytest.mark.skipif(
    not REMOVES_WHAT_IS_OPEN, reason="files that are open can't be removed here"
)
needs_odd_names = pytest.mark.skipif(not _odd_names, reason="names of files are restricted here")
needs_any_bytes = pytest.mark.skipif(not _any_bytes, reason="names of files are text here")
needs_proc = pytest.mark.skipif(
    os.sep != "/" or not Path("/proc/self/stat").exists(), reason="there is no /proc here"
)
needs_users = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="there are no user numbers")
needs_posix_paths = pytest.mark.skipif(os.sep != "/", reason="paths begin with a drive here")
needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away"
)
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
needs_full_device = pytest.mark.skipif(
    os.sep != "/" or not Path("/dev/full").is_char_device(), reason="no device is always full here"
)
needs_zones = pytest.mark.skipif(
    not hasattr(time, "tzset"), reason="a process has one time zone here"
)
needs_timers = pytest.mark.skipif(
    not hasattr(signal, "setitimer"), reason="there are no timers of processor time here"
)
