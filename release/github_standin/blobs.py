"""How the asset host names what it keeps: by numbers that tell neither tag nor file name."""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePath
from urllib.parse import quote

DISPOSITION = "rscd"
CONTENT_TYPE = "rsct"


def path_of(repository: str, asset: PurePath) -> str:
    """The path of an asset, `<tag>/<name>`, of `repository` on the asset host."""
    number = zlib.crc32(repository.lower().encode())
    identity = uuid.uuid5(uuid.NAMESPACE_URL, f"{repository.lower()}/{asset.as_posix()}")
    return f"/github-production-release-asset/{number}/{identity}"


def find(directory: Path, repository: str, path: str) -> Path | None:
    """The file below `directory` that has this path on the asset host.

    The files are walked each time: they are few, and any may come or go while the server runs.
    """
    for file in directory.rglob("*"):
        if path_of(repository, file.relative_to(directory)) == path and file.is_file():
            return file
    return None


def parameters(name: str) -> Mapping[str, str]:
    """What a signed URL says about the answer to it, for a file of this name."""
    disposition = (
        f"attachment; filename*=UTF-8''{quote(name)}"
        if not name.isascii()
        else f"attachment; filename={name}"
    )
    return {
        "sp": "r",
        "sv": "2018-11-09",
        "sr": "b",
        DISPOSITION: disposition,
        CONTENT_TYPE: "application/octet-stream",
    }
