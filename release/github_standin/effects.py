"""What a fault does: each effect is a small function from request to request, or from response to response.

A new kind of fault is a new class here; neither the listener nor the hosts need to know of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from release.github_standin.messages import (
    Application,
    Body,
    BytesBody,
    Request,
    Response,
    StreamBody,
)


class Effect:
    """Changes nothing; the base of those that do."""

    def on_request(self, request: Request) -> Request:
        """The request that the application gets to see."""
        return request

    def on_application(self, application: Application) -> Application:
        """What is asked for the response."""
        return application

    def on_response(self, response: Response) -> Response:
        """The response that is sent."""
        return response


@dataclass(frozen=True)
class IgnoreRange(Effect):
    """Answer as a server that knows no ranges: a 200 with everything."""

    def on_request(self, request: Request) -> Request:
        """Without the headers that ask for a part."""
        return request.without("range", "if-range")


@dataclass(frozen=True)
class Unheard(Effect):
    """Do nothing of what was asked; the answer is an empty 503, unless another effect makes it a different one."""

    def on_application(self, application: Application) -> Application:  # noqa: ARG002 - it is not asked
        """One that knows nothing."""
        return lambda _: Response(503)


@dataclass(frozen=True)
class CutUpload(Effect):
    """Hear this many bytes of the request's body, then close the connection."""

    size: int

    def on_request(self, request: Request) -> Request:
        """With the beginning of the body."""
        return replace(request, body=request.body[: self.size])

    def on_response(self, response: Response) -> Response:
        """Not to be sent."""
        return Drop().on_response(response)


@dataclass(frozen=True)
class Instead(Effect):
    """Answer this, whatever was asked, and whatever it led to.

    Attributes:
        status: the HTTP status.
        headers: all of the headers, but `Content-Length`, which comes from the body unless it is named.
        body: the content, bytes or any `Body`.
    """

    status: int
    body: bytes | Body = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def on_response(self, response: Response) -> Response:
        """The other answer, delivered as the first one would have been."""
        body = BytesBody(self.body) if isinstance(self.body, bytes) else self.body
        return replace(response, status=self.status, headers=self.headers, body=body)


@dataclass(frozen=True)
class WrongBytes(Effect):
    """Right headers and size, but the byte at position `at` of the body has all its bits turned over."""

    at: int = 0

    def on_response(self, response: Response) -> Response:
        """With the altered body."""
        original = response.body
        return replace(
            response, body=StreamBody(lambda: _altered(original.chunks(), self.at), original.length)
        )


@dataclass(frozen=True)
class Delay(Effect):
    """Wait this many seconds before the first byte of the answer."""

    seconds: float

    def on_response(self, response: Response) -> Response:
        """With the delay added."""
        delivery = response.delivery
        return replace(response, delivery=replace(delivery, delay=delivery.delay + self.seconds))


@dataclass(frozen=True)
class Drip(Effect):
    """Send the body at this many bytes per second at most."""

    bytes_per_second: float

    def on_response(self, response: Response) -> Response:
        """With the lower of this rate and the one it had."""
        slower = min(self.bytes_per_second, response.delivery.rate or self.bytes_per_second)
        return replace(response, delivery=replace(response.delivery, rate=slower))


@dataclass(frozen=True)
class CutAfter(Effect):
    """Close the connection after this many bytes of the body, with a TCP reset if `reset`."""

    size: int
    reset: bool = False

    def on_response(self, response: Response) -> Response:
        """To be cut."""
        return replace(
            response, delivery=replace(response.delivery, cut_after=self.size, reset=self.reset)
        )


@dataclass(frozen=True)
class Drop(Effect):
    """Close the connection instead of answering, with a TCP reset if `reset`."""

    reset: bool = False

    def on_response(self, response: Response) -> Response:
        """Not to be sent."""
        return replace(response, delivery=replace(response.delivery, drop=True, reset=self.reset))


def _altered(chunks: Iterator[bytes], at: int) -> Iterator[bytes]:
    start = 0
    for chunk in chunks:
        inside = at - start
        start += len(chunk)
        if 0 <= inside < len(chunk):
            yield chunk[:inside] + bytes([chunk[inside] ^ 0xFF]) + chunk[inside + 1 :]
        else:
            yield chunk
