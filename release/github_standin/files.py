"""Static files over HTTP: validators, ranges, and names that can't leave their directory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

from release.github_standin.messages import Request, Response, file_body
from release.github_standin.ranges import UnsatisfiableRange, range_still_holds, requested_range


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as it was when it was looked up.

    Attributes:
        path: where it lies.
        size: bytes.
        etag: a strong validator, which changes whenever the file is written or replaced.
        last_modified: as an HTTP date.
    """

    path: Path
    size: int
    etag: str
    last_modified: str

    @classmethod
    def at(cls, path: Path) -> StoredFile:
        """Look a file up."""
        status = path.stat()
        etag = f'"{status.st_mtime_ns:x}-{status.st_ino:x}-{status.st_size:x}"'
        return cls(path, status.st_size, etag, formatdate(status.st_mtime, usegmt=True))


def find(directory: Path, relative: str) -> StoredFile | None:
    """The file of this name, slash-separated, below `directory`.

    None if there is none, or if it would lie outside.
    """
    segments = relative.split("/")
    if any(
        segment in {"", ".", ".."} or "\\" in segment or "\0" in segment for segment in segments
    ):
        return None
    path = directory.joinpath(*segments)
    if not path.is_relative_to(directory):  # a drive's letter, on Windows
        return None
    try:
        return StoredFile.at(path) if path.is_file() else None
    except OSError:  # a name that is too long, or a file that has just gone
        return None


def file_response(
    request: Request,
    file: StoredFile,
    *,
    headers: Mapping[str, str] | None = None,
    ranges: bool = True,
) -> Response:
    """Answer a GET or HEAD with a file, or with the part of it that was asked for.

    Args:
        request: whose `Range` and `If-Range` count, for GET alone, as RFC 9110 has it.
        file: what to send.
        headers: of this file, for example its `Content-Type`.
        ranges: whether parts can be had.
    """
    common = {"ETag": file.etag, "Last-Modified": file.last_modified, **(headers or {})}
    if ranges:
        common["Accept-Ranges"] = "bytes"
    whole = Response(200, common, file_body(file.path, 0, file.size))
    if request.method != "GET" or not ranges:
        return whole
    if not range_still_holds(
        request.headers.get("if-range"), etag=file.etag, last_modified=file.last_modified
    ):
        return whole
    try:
        part = requested_range(request.headers.get("range"), file.size)
    except UnsatisfiableRange:
        return Response(416, {**common, "Content-Range": f"bytes */{file.size}"})
    if part is None:
        return whole
    partial = {**common, "Content-Range": f"bytes {part[0]}-{part[-1]}/{file.size}"}
    return Response(206, partial, file_body(file.path, part.start, len(part)))
