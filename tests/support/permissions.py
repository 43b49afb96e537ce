"""Permissions that bind root, too."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

_VERSION = 0x20080522
_OVERRIDE = 0b110
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH of capabilities(7): the rights to read and write whatever the modes say."""


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


@contextmanager
def binding_permissions() -> Iterator[None]:
    """Within it, this thread can read only what the modes of files let their owner read."""
    if not hasattr(os, "geteuid"):
        pytest.skip("files have no modes here")
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header, data = _Header(_VERSION, 0), (_Data * 2)()
    if libc.capget(ctypes.byref(header), data):
        pytest.skip(f"capabilities can't be read here: {os.strerror(ctypes.get_errno())}")
    before = data[0].effective
    data[0].effective &= ~_OVERRIDE
    if libc.capset(ctypes.byref(header), data):
        pytest.skip(f"capabilities can't be given up here: {os.strerror(ctypes.get_errno())}")
    try:
        yield
    finally:
        data[0].effective = before
        assert libc.capset(ctypes.byref(header), data) == 0
