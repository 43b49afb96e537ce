"""What was asked of a server, and what it sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from release.github_standin.messages import Request

_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie"})


@dataclass(slots=True)
class Record:
    """One request and its answer.

    Attributes:
        host: the name of the host that was asked, for example `web` or `assets`.
        method: of the request.
        path: percent-decoded and without the query, in which signatures travel.
        headers: the request's, by lower-case name; values that are secret are left out, the names
            stay.
        status: of the answer; 0 until there is one, and where the connection was dropped.
        sent: bytes of body that were given to the network.
    """

    host: str
    method: str
    path: str
    headers: Mapping[str, str]
    status: int = 0
    sent: int = 0

    @property
    def range(self) -> str | None:
        """The `Range` header."""
        return self.headers.get("range")

    @property
    def authorized(self) -> bool:
        """Whether an `Authorization` header came."""
        return "authorization" in self.headers

    def as_json(self) -> dict[str, object]:
        """The object that a log file has on a line of its own."""
        return {
            "host": self.host,
            "method": self.method,
            "path": self.path,
            "status": self.status,
            "range": self.range,
            "authorization": self.authorized,
            "sent": self.sent,
        }


class RequestLog:
    """Records the requests of one or several hosts. Threads may share it.

    Args:
        stream: gets one line of JSON for each answer that has been sent.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self._writing = threading.Lock()

    @contextmanager
    def recording(self, host: str, request: Request) -> Iterator[Record]:
        """Record a request for as long as it is being answered.

        The block fills in `status` and `sent`.
        """
        headers = {
            name: "…" if name in _SECRET_HEADERS else value
            for name, value in request.headers.items()
        }
        record = Record(host, request.method, request.path, headers)
        try:
            yield record
        finally:
            if self._stream is not None:
                with self._writing:
                    self._stream.write(json.dumps(record.as_json()) + "\n")
                    self._stream.flush()
