"""The release asset's form: a zip that is the same bytes on every machine, and reading one back.

Members are stored, never deflated: deflate takes no more than 8 % off the weights and makes a fast
download slower, and its output depends on the zlib that Python happens to have. Sizes and checksums
stand in the local headers, so that the zip can be unpacked while it arrives.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from hatch_heimdall_models.errors import ModelBuildError, reason
from hatch_heimdall_models.files import CHUNK, sha256_of_stream
from hatch_heimdall_models.inventory import HashedFile

MODELS_ROOT = "models/"
"""What every member's name starts with."""
ABOUT = f"{MODELS_ROOT}about/"
"""The folder of documentation; it is no part of the model."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can name."""
_UNIX = 3
_REGULAR_FILE = 0o100644


def write_asset(stream: BinaryIO, models: Mapping[str, Path], about: Mapping[str, bytes]) -> None:
    """Write the zip.

    Args:
        stream: a seekable, empty file.
        models: the model's files by path.
        about: the documentation by name.
    """
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(about):
            archive.writestr(_member(f"{ABOUT}{name}", len(about[name])), about[name])
        for path in sorted(models):
            member = _member(f"{MODELS_ROOT}{path}", models[path].stat().st_size)
            with models[path].open("rb") as source, archive.open(member, "w") as target:
                while chunk := source.read(CHUNK):
                    target.write(chunk)


def read_asset(path: Path) -> tuple[HashedFile, ...]:
    """The model files in an asset, hashed, sorted by path; documentation is left out.

    Raises:
        ModelBuildError: if it is not there, not a zip, damaged, or has a member outside of
            `models/`.
    """
    files = []
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if not member.filename.startswith(MODELS_ROOT):
                    raise ModelBuildError(
                        str(path), [f"member {member.filename} lies outside of {MODELS_ROOT}"]
                    )
                if not member.filename.startswith(ABOUT):
                    with archive.open(member) as stream:
                        digest = sha256_of_stream(stream)
                    files.append(
                        HashedFile(
                            member.filename.removeprefix(MODELS_ROOT), digest, member.file_size
                        )
                    )
    except (
        OSError,
        EOFError,
        zipfile.BadZipFile,
        zlib.error,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise ModelBuildError(str(path), [f"can't be read: {reason(error)}"]) from error
    return tuple(sorted(files, key=lambda file: file.path))


def _member(name: str, size: int) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _EPOCH)
    member.create_system = _UNIX
    member.external_attr = _REGULAR_FILE << 16
    member.file_size = size
    return member
