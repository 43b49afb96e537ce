"""What Windows alone tells: of its processes, consoles, short names. Nothing of it works elsewhere."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from typing import NamedTuple

_SYNCHRONIZE = 0x0010_0000
_QUERY_LIMITED_INFORMATION = 0x1000
_SNAPSHOT_OF_PROCESSES = 0x2
_DENIED = 5
_TIMEOUT = 0x102


class Process(NamedTuple):
    """A process as a snapshot tells it.

    Attributes:
        name: of its program's file, without a folder.
        parent: the number of who started it, which another process may have by now.
    """

    name: str
    parent: int


class _Entry(ctypes.Structure):
    """`PROCESSENTRY32W` of tlhelp32.h."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("usage", ctypes.c_uint32),
        ("number", ctypes.c_uint32),
        ("heap", ctypes.c_size_t),
        ("module", ctypes.c_uint32),
        ("threads", ctypes.c_uint32),
        ("parent", ctypes.c_uint32),
        ("priority", ctypes.c_int32),
        ("flags", ctypes.c_uint32),
        ("name", ctypes.c_wchar * 260),
    )


class Handle:
    """A process that is held: its number is nobody else's as long.

    Raises:
        OSError: there is no such process, or it may not be asked.
    """

    def __init__(self, number: int) -> None:
        rights = _SYNCHRONIZE | _QUERY_LIMITED_INFORMATION
        self._kernel = _kernel()
        self._handle = self._kernel.OpenProcess(rights, False, number)
        if not self._handle:
            raise _error()

    def ended(self) -> bool:
        """Whether it has ended."""
        return bool(self._kernel.WaitForSingleObject(self._handle, 0) != _TIMEOUT)

    def began(self) -> int:
        """When it began, in units of 100 nanoseconds; 0 if that is not told."""
        times = [ctypes.c_uint64() for _ in range(4)]
        told = self._kernel.GetProcessTimes(self._handle, *map(ctypes.byref, times))
        return times[0].value if told else 0

    def close(self) -> None:
        """Let it go."""
        self._kernel.CloseHandle(self._handle)


def is_running(number: int) -> bool:
    """Whether a process of that number runs."""
    if number >> 32:
        return False
    try:
        process = Handle(number)
    except OSError as error:
        return getattr(error, "winerror", None) == _DENIED
    try:
        return not process.ended()
    finally:
        process.close()


def is_console(descriptor: int) -> bool:
    """Whether a person sits behind what a program reads: the null device is a terminal to `isatty`, too."""
    mode = ctypes.c_uint32()
    return bool(_kernel().GetConsoleMode(_handle(descriptor), ctypes.byref(mode)))


def short_path(path: str) -> str:
    """A path of a file by the names of eight letters that Windows keeps beside the long ones; as it is where there are none."""
    short = ctypes.create_unicode_buffer(1 << 15)
    return short.value if _kernel().GetShortPathNameW(path, short, len(short)) else path


def processes() -> dict[int, Process]:
    """All that run now, by number; none if the system does not tell."""
    return dict(_walk())


def _walk() -> Iterator[tuple[int, Process]]:
    kernel = _kernel()
    snapshot = kernel.CreateToolhelp32Snapshot(_SNAPSHOT_OF_PROCESSES, 0)
    entry = _Entry(size=ctypes.sizeof(_Entry))
    more = kernel.Process32FirstW(snapshot, ctypes.byref(entry))
    while more:
        yield entry.number, Process(entry.name, entry.parent)
        more = kernel.Process32NextW(snapshot, ctypes.byref(entry))
    kernel.CloseHandle(snapshot)


if sys.platform == "win32":

    def _kernel() -> ctypes.WinDLL:
        # One of our own: what is said here of functions is no matter of other users of ctypes.
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        handle, number, pointer = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p
        kernel.OpenProcess.restype = kernel.CreateToolhelp32Snapshot.restype = handle
        kernel.CloseHandle.argtypes = [handle]
        kernel.WaitForSingleObject.argtypes = [handle, number]
        kernel.GetConsoleMode.argtypes = [handle, pointer]
        kernel.GetProcessTimes.argtypes = [handle, *[pointer] * 4]
        kernel.Process32FirstW.argtypes = kernel.Process32NextW.argtypes = [handle, pointer]
        return kernel

    def _handle(descriptor: int) -> int:
        import msvcrt

        return msvcrt.get_osfhandle(descriptor)

    def _error() -> OSError:
        return ctypes.WinError(ctypes.get_last_error())

else:

    def _kernel() -> ctypes.CDLL:
        raise OSError("there are no processes of Windows here")

    def _handle(descriptor: int) -> int:
        raise NotImplementedError

    def _error() -> OSError:
        raise NotImplementedError
