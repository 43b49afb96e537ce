"""A copy of all vectors in one file beside the database, which processes map instead of reading rows.

It is a cache: whatever is wrong with it, the database has everything. Mapped pages are shared by
all processes of a machine, and the first question of a process does not have to wait until every
row was read (docs/recall.md).
"""

from __future__ import annotations

import contextlib
import json
import logging
import mmap
import os
import time
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cognitive_memory.storage.vectors import State, Vectors
from heimdall.models.files import draft
from heimdall.models.regular_file import open_regular

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FORMAT = 1
_HEADER = 4096
"""Bytes before the vectors; a page, so that they are aligned."""

_ABANDONED_SECONDS = 600
"""After that long without a byte nobody is writing any more."""

_log = logging.getLogger(__name__)


class VectorFile:
    """The file.

    Args:
        path: where it is.
        dimension: how many numbers a vector has; None: whatever the file says.
    """

    def __init__(self, path: Path, dimension: int | None = None) -> None:
        self.path = path
        self.dimension = dimension

    def read(self, space: str) -> Vectors | None:
        """What it holds, mapped and not read.

        None if it is not there or not of that embedding space.

        One that is not whole, or not what `write` makes, is removed. Whether the vectors are finite
        is not looked at.
        """
        try:
            return self._mapped(space)
        except FileNotFoundError:
            return None
        except PermissionError as error:
            _log.debug("%s is not used: %s", self.path, error)
            return None
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            # Of the system's errors its words alone: a number says nothing, and the path is said already.
            why = str(getattr(error, "strerror", None) or error)
            _log.warning("%s is thrown away, and made anew: %s", self.path, why)
        # Not above: an error keeps the file mapped, and Windows removes none that is.
        self.remove()
        return None

    def _mapped(self, space: str) -> Vectors | None:
        with os.fdopen(open_regular(self.path), "rb") as file:
            header = json.loads(file.read(_HEADER))
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return _saved(header, mapped, space, self.dimension)

    def remove(self) -> None:
        """Remove it, if that can be done; who has it mapped keeps that."""
        with contextlib.suppress(OSError):
            self.path.unlink()

    def write(
        self,
        space: str,
        state: State,
        parts: Iterable[tuple[NDArray[np.int64], NDArray[np.float32]]],
    ) -> None:
        """Replace it at once; who has the old one mapped keeps that.

        A read-only or full disk is no reason to fail: it is a cache.

        Args:
            space: the vectors' embedding space.
            state: of the database they were read from.
            parts: keys, ascending, and their vectors; at least one.
        """
        try:
            self._forget_abandoned()
            with draft(self.path) as part, part.open("r+b") as file:
                file.seek(_HEADER)
                dimension, written = 0, []
                for some, block in parts:
                    dimension = block.shape[1]
                    written.append(some)
                    file.write(np.ascontiguousarray(block, dtype="<f4").data)
                keys = np.concatenate(written).astype("<i8", copy=False)
                file.write(keys.data)
                file.seek(0)
                file.write(_header(space, state, keys, dimension))
        except OSError as error:
            _log.debug("%s could not be written: %s", self.path, error)

    def _forget_abandoned(self) -> None:
        """Remove what killed processes were writing."""
        for part in self.path.parent.glob(f".{self.path.name}.*.tmp"):
            with contextlib.suppress(OSError):
                if time.time() - part.stat().st_mtime > _ABANDONED_SECONDS:
                    part.unlink()


def _header(space: str, state: State, keys: NDArray[np.int64], dimension: int) -> bytes:
    content = {
        "heimdall_vectors": _FORMAT,
        "label": space,
        "state": state,
        "rows": len(keys),
        "dimension": dimension,
        "keys_crc32": zlib.crc32(keys.data),
    }
    return json.dumps(content).encode().ljust(_HEADER)


def _saved(
    header: dict[str, Any], mapped: mmap.mmap, space: str, expected: int | None
) -> Vectors | None:
    """The vectors in it; None if they are of another format or space.

    Raises:
        ValueError, KeyError, TypeError: it is not what `write` makes.
    """
    if header["heimdall_vectors"] != _FORMAT or header["label"] != space:
        return None
    rows, dimension = header["rows"], header["dimension"]
    state = State(*header["state"])
    if not all(type(number) is int and number >= 0 for number in (rows, dimension, state.revision)):
        raise ValueError("its header has no numbers where they were expected")
    if type(state.stamp) is not int or dimension != (expected or dimension):
        raise ValueError(f"it has vectors of {dimension} numbers, not {expected}")
    size = rows * dimension * 4
    if len(mapped) != _HEADER + size + rows * 8:
        raise ValueError(f"it has {len(mapped)} bytes, and its header tells of others")
    if hasattr(mapped, "madvise"):
        mapped.madvise(mmap.MADV_WILLNEED)
    matrix = np.frombuffer(mapped, dtype="<f4", count=rows * dimension, offset=_HEADER).reshape(
        rows, dimension
    )
    keys = np.frombuffer(mapped, dtype="<i8", count=rows, offset=_HEADER + size)
    if zlib.crc32(keys.data) != header["keys_crc32"]:
        raise ValueError("its keys do not have their checksum")
    return Vectors(state, keys, matrix)
