"""The files inside a wheel or an sdist, whichever backend made it."""

from __future__ import annotations

import io
import re
import tarfile
import zipfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WHEEL_SUFFIX = ".whl"
SDIST_SUFFIXES = (".tar.gz", ".zip")
_IMPORTED = re.compile(r"[^/]+\.data/(?:purelib|platlib)/")
"""What an installer takes off a wheel's paths, besides the top folder's others."""
_LINK = 0o120000


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive; its stream can be read until the next member is asked for.

    Attributes:
        path: as it is installed, or below the one folder of an sdist.
        link: where a symbolic link points to; it has no content.
    """

    path: str
    size: int
    stream: IO[bytes]
    link: str | None = None


def is_wheel(archive: Path) -> bool:
    """Whether its name says that it is a wheel."""
    return archive.name.endswith(WHEEL_SUFFIX)


def is_distribution(archive: Path) -> bool:
    """Whether its name says that it is a wheel or an sdist."""
    return archive.name.endswith((WHEEL_SUFFIX, *SDIST_SUFFIXES))


def members(archive: Path) -> Iterator[Member]:
    """Every file, one after the other.

    Raises:
        ValueError: if the name says that it is neither a wheel nor an sdist.
        OSError, zipfile.BadZipFile, tarfile.TarError: if it can't be read.
    """
    if not is_distribution(archive):
        raise ValueError(f"{archive} is neither a wheel nor an sdist")
    if archive.name.endswith(SDIST_SUFFIXES[0]):
        yield from _of_tar(archive)
    else:
        yield from _of_zip(archive, wheel=is_wheel(archive))


def _of_zip(archive: Path, *, wheel: bool) -> Iterator[Member]:
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            name = info.filename
            path = _IMPORTED.sub("", name, count=1) if wheel else name.partition("/")[2]
            if path and not info.is_dir():
                with opened.open(info) as stream:
                    # As Info-ZIP keeps it: the type in the Unix mode, the target as the content.
                    if (info.external_attr >> 16) & 0o170000 == _LINK:
                        link = stream.read().decode(errors="replace")
                        yield Member(path, 0, io.BytesIO(), link)
                    else:
                        yield Member(path, info.file_size, stream)


def _of_tar(archive: Path) -> Iterator[Member]:
    with tarfile.open(archive, "r:gz") as opened:
        for member in opened:
            path = member.name.partition("/")[2]
            if path and not member.isdir():
                content = opened.extractfile(member) if member.isfile() else None
                link = member.linkname if member.issym() else None
                yield Member(path, member.size, content or io.BytesIO(), link)
