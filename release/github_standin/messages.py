"""What travels between a listener and an application: requests and responses."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from urllib.parse import parse_qsl, unquote

CHUNK = 1024 * 1024


class HangUp(Exception):  # noqa: N818 - an instruction to the listener, not a failure
    """Raised by an application or a body: close the connection and send nothing more.

    Attributes:
        reset: whether to close it with a TCP reset.
    """

    def __init__(self, *, reset: bool = False) -> None:
        super().__init__()
        self.reset = reset


@dataclass(frozen=True)
class Request:
    """A request.

    Attributes:
        method: in upper case.
        target: the request target as it was sent: path and query, percent-encoded.
        headers: by lower-case name; those that came several times joined by commas.
        body: what came of its content; less than `Content-Length` says where the client went away.
        pause: waits for this many seconds; raises `HangUp` when the listener is closed meanwhile.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)
    pause: Callable[[float], object] = field(default=time.sleep, repr=False, compare=False)

    @cached_property
    def raw_path(self) -> str:
        """The path, still percent-encoded."""
        return self.target.partition("?")[0]

    @cached_property
    def path(self) -> str:
        """The path, percent-decoded."""
        return unquote(self.raw_path)

    @cached_property
    def query(self) -> Mapping[str, str]:
        """The query's parameters; the last one of a name counts."""
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))


@dataclass(frozen=True)
class Body:
    """The content of a response.

    Attributes:
        chunks: called once for each sending, gives the content in pieces; it may be endless.
        length: bytes, or None if that is unknown: the response then ends with its connection.
    """

    chunks: Callable[[], Iterator[bytes]]
    length: int | None = None


def bytes_body(content: bytes = b"") -> Body:
    """Content from memory."""
    return Body(lambda: iter([content]), len(content))


def file_body(path: Path, offset: int, length: int) -> Body:
    """`length` bytes of a file, from `offset` on; it ends early if the file was cut meanwhile."""
    return Body(partial(_file_chunks, path, offset, length), length)


def slowed(body: Body, rate: float, pause: Callable[[float], object]) -> Body:
    """The same content at `rate` bytes per second at most; `pause` is that of the request."""
    # Many small steps, so that a client sees a steady flow and not a burst each second.
    step = max(1, min(CHUNK, int(rate / 20)))

    def chunks() -> Iterator[bytes]:
        began = time.monotonic()
        sent = 0
        for chunk in body.chunks():
            for start in range(0, len(chunk), step):
                piece = chunk[start : start + step]
                yield piece
                sent += len(piece)
                pause(max(0.0, began + sent / rate - time.monotonic()))

    return Body(chunks, body.length)


@dataclass(frozen=True)
class Response:
    """An answer.

    Attributes:
        status: the HTTP status.
        headers: by name. `Content-Length` comes from the body unless it is named here.
        body: the content; a HEAD request gets its headers alone.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body = field(default_factory=bytes_body)

    @classmethod
    def text(
        cls,
        status: int,
        content: str,
        content_type: str,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """An answer of UTF-8 text."""
        return cls(
            status, {"Content-Type": content_type, **(headers or {})}, bytes_body(content.encode())
        )


Application = Callable[[Request], Response]
"""What a listener serves. It is called by several threads at once."""


def _file_chunks(path: Path, offset: int, length: int) -> Iterator[bytes]:
    with path.open("rb") as stream:
        stream.seek(offset)
        while length and (chunk := stream.read(min(CHUNK, length))):
            length -= len(chunk)
            yield chunk
