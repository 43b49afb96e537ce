"""What was asked of a server, and what it sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
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
        headers: the request's, by lower-case name; values that are secret are left out, the names stay.
        status: of the answer; 0 until there is one, and where the connection was dropped.
        sent: bytes of body that were given to the network.
        done: whether the answer has been sent, or given up.
    """

    host: str
    method: str
    path: str
    headers: Mapping[str, str]
    status: int = 0
    sent: int = 0
    done: bool = field(default=False, repr=False)

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
    """Every request of one or several hosts, in the order of their arrival. Threads may share it.

    Args:
        stream: gets one line of JSON for each answer that has been sent.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self._records: list[Record] = []
        self._changed = threading.Condition()

    @contextmanager
    def recording(self, host: str, request: Request) -> Iterator[Record]:
        """Record a request for as long as it is being answered; the block fills in `status` and `sent`."""
        headers = {
            name: "…" if name in _SECRET_HEADERS else value
            for name, value in request.headers.items()
        }
        record = Record(host, request.method, request.path, headers)
        with self._changed:
            self._records.append(record)
        try:
            yield record
        finally:
            with self._changed:
                record.done = True
                if self._stream is not None:
                    self._stream.write(json.dumps(record.as_json()) + "\n")
                    self._stream.flush()
                self._changed.notify_all()

    def snapshot(self) -> list[Record]:
        """What there is at this moment, with answers that are still being sent."""
        with self._changed:
            return list(self._records)

    def settled(self, timeout: float = 10.0) -> list[Record]:
        """All records, once no answer is being sent: a client may have all of it before its server has noticed.

        Raises:
            TimeoutError: answers are still being sent after `timeout` seconds; it names them.
        """
        with self._changed:
            if not self._changed.wait_for(
                lambda: all(record.done for record in self._records), timeout
            ):
                pending = [record for record in self._records if not record.done]
                raise TimeoutError(f"after {timeout:g} s still sending: {pending}")
            return list(self._records)

    def clear(self) -> None:
        """Forget all of it."""
        with self._changed:
            self._records.clear()
