"""The standard streams of our commands: UTF-8 in files and pipes, as git and ripgrep write, whatever the code page."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys
from typing import TextIO


def settle() -> None:
    """Give the standard streams their encoding; a console keeps its own, and `PYTHONIOENCODING` is respected.

    Stdout takes any text: what UTF-8 has no bytes for as file systems write it, what another encoding lacks as an
    escape. Lines end as they are written, so that the same memories are the same bytes everywhere. A byte order mark on
    stdin is dropped, and what is in another encoding raises `UnicodeDecodeError` where it is read. A stdin that is
    missing (`<&-`, a program without a console) or Windows' null device is an empty pipe: nobody answers there.
    """
    if sys.stdin is None or _passes_for_a_console(sys.stdin):
        empty, writer = os.pipe()
        os.close(writer)
        sys.stdin = os.fdopen(empty, encoding="utf-8", closefd=False)  # for as long as we live
    named = os.environ.get("PYTHONIOENCODING", "").partition(":")[0].lower().replace("_", "-")
    is_utf8 = named in {"", "utf-8", "utf8"}
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if not isinstance(stream, io.TextIOWrapper):
            continue
        with contextlib.suppress(OSError, ValueError):  # it was closed, or read from already
            encoding = stream.encoding
            if is_utf8 and not stream.isatty():
                encoding = "utf-8-sig" if stream is sys.stdin else "utf-8"
            errors = stream.errors
            if stream is sys.stdin:
                errors = "strict"
            elif errors == "strict":
                whole = codecs.lookup(encoding).name == "utf-8"
                errors = sys.getfilesystemencodeerrors() if whole else "backslashreplace"
            if stream.isatty():
                stream.reconfigure(errors=errors)
            else:
                newline = None if stream is sys.stdin else "\n"
                stream.reconfigure(encoding=encoding, errors=errors, newline=newline)


def _passes_for_a_console(stream: TextIO) -> bool:
    """Whether it is the null device of Windows, which counts as a terminal there."""
    with contextlib.suppress(OSError, ValueError):
        if os.name == "nt" and stream.isatty():
            from . import windows

            return not windows.is_console(stream.fileno())
    return False
