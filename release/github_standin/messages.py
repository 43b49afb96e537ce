"""What travels between a listener and an application: a request, and a response that says how it is to be sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl, unquote

CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Request:
    """A request.

    Attributes:
        method: in upper case.
        target: the request target as it was sent: path and query, percent-encoded.
        headers: by lower-case name; those that came several times joined by commas.
        body: what came of its content; less than `Content-Length` says where the client went away.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)

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

    @property
    def is_whole(self) -> bool:
        """Whether all of the body came."""
        return len(self.body) == int(self.headers.get("content-length", "0"))

    def without(self, *names: str) -> Request:
        """The same request without the headers of these lower-case names."""
        return replace(
            self, headers={name: value for name, value in self.headers.items() if name not in names}
        )


class Body(Protocol):
    """The content of a response."""

    @property
    def length(self) -> int | None:
        """Bytes, or None if that is unknown: the response then ends with its connection."""

    def chunks(self) -> Iterator[bytes]:
        """The content, in pieces."""


@dataclass(frozen=True)
class BytesBody:
    """Content from memory."""

    content: bytes = b""

    @property
    def length(self) -> int:
        """Bytes."""
        return len(self.content)

    def chunks(self) -> Iterator[bytes]:
        """The content, in one piece."""
        yield self.content


@dataclass(frozen=True)
class FileBody:
    """`length` bytes of a file, from `offset` on."""

    path: Path
    offset: int
    length: int

    def chunks(self) -> Iterator[bytes]:
        """The content, a mebibyte at a time; it ends early if the file was cut meanwhile."""
        left = self.length
        with self.path.open("rb") as stream:
            stream.seek(self.offset)
            while left and (chunk := stream.read(min(CHUNK, left))):
                left -= len(chunk)
                yield chunk


@dataclass(frozen=True)
class StreamBody:
    """Content that is made while it is sent; it may be endless.

    Attributes:
        source: called once for each sending, gives the pieces.
        length: bytes, or None if unknown.
    """

    source: Callable[[], Iterator[bytes]]
    length: int | None = None

    def chunks(self) -> Iterator[bytes]:
        """The content, in the source's pieces."""
        return self.source()


@dataclass(frozen=True)
class Delivery:
    """How a response is put on the wire.

    Attributes:
        delay: seconds to wait before the first byte.
        rate: bytes of body per second at most, or None for as fast as it goes.
        cut_after: close the connection after this many bytes of body, or None to send all.
        drop: close the connection without sending anything.
        reset: where a connection is closed early, close it with a TCP reset.
    """

    delay: float = 0.0
    rate: float | None = None
    cut_after: int | None = None
    drop: bool = False
    reset: bool = False


@dataclass(frozen=True)
class Response:
    """An answer.

    Attributes:
        status: the HTTP status.
        headers: by name. `Content-Length` comes from the body unless it is named here.
        body: the content; a HEAD request gets its headers alone.
        delivery: how to send it.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body = field(default_factory=BytesBody)
    delivery: Delivery = field(default_factory=Delivery)

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
            status, {"Content-Type": content_type, **(headers or {})}, BytesBody(content.encode())
        )


Application = Callable[[Request], Response]
"""What a listener serves. It is called by several threads at once."""
