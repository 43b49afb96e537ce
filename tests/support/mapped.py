"""A file that a running program has mapped, as a server has its weights: Windows lets nobody replace or remove it."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest


@contextlib.contextmanager
def mapped(path: Path) -> Iterator[None]:
    """Within it nobody can replace the file or remove it, but rename; elsewhere than on Windows by a stand-in."""
    if sys.platform == "win32":
        with _mapped(path):
            yield
        return
    held = path.stat()
    really: dict[str, Callable[..., None]] = {"replace": os.replace, "unlink": os.unlink}

    def unless_held(name: str, *paths: str | Path) -> None:
        at = Path(paths[-1])
        if at.exists() and os.path.samestat(at.stat(), held):
            raise PermissionError(errno.EACCES, "Access is denied", str(at))
        really[name](*paths)

    with pytest.MonkeyPatch.context() as patch:
        for name in really:
            patch.setattr(os, name, partial(unless_held, name))
        yield


if sys.platform == "win32":
    import ctypes

    @contextlib.contextmanager
    def _mapped(path: Path) -> Iterator[None]:
        """As ONNX Runtime does: no handle of the file stays open. Python's `mmap` keeps one."""
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.CreateFileW.restype = kernel.CreateFileMappingW.restype = ctypes.c_void_p
        kernel.MapViewOfFile.restype = view_type = ctypes.c_void_p
        file = ctypes.c_void_p(kernel.CreateFileW(str(path), 0x8000_0000, 1, None, 3, 0, None))
        section = ctypes.c_void_p(kernel.CreateFileMappingW(file, None, 2, 0, 0, None))
        view = view_type(kernel.MapViewOfFile(section, 4, 0, 0, ctypes.c_size_t(0)))
        kernel.CloseHandle(section)
        kernel.CloseHandle(file)
        assert view, ctypes.WinError(ctypes.get_last_error())
        try:
            yield
        finally:
            kernel.UnmapViewOfFile(view)
