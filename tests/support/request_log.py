"""The log of a server's requests, kept for tests to look at."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from release.github_standin.log import Record, RequestLog
from release.github_standin.messages import Request
from tests.support.waiting import PATIENCE


class KeptLog(RequestLog):
    """Every request of one or several hosts, in the order of their arrival."""

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__(stream)
        self._records: list[Record] = []
        self._pending: list[Record] = []
        self._changed = threading.Condition()

    @contextmanager
    def recording(self, host: str, request: Request) -> Iterator[Record]:
        with super().recording(host, request) as record:
            with self._changed:
                self._records.append(record)
                self._pending.append(record)
            try:
                yield record
            finally:
                with self._changed:
                    self._pending = [other for other in self._pending if other is not record]
                    self._changed.notify_all()

    def snapshot(self) -> list[Record]:
        """What there is at this moment, with answers that are still being sent."""
        with self._changed:
            return list(self._records)

    def pending(self) -> list[Record]:
        """Those whose answers are still being sent."""
        with self._changed:
            return list(self._pending)

    def settled(self, timeout: float = PATIENCE) -> list[Record]:
        """All records, once no answer is being sent: a client may have all of it before its server has noticed.

        Raises:
            TimeoutError: answers are still being sent after `timeout` seconds; it names them.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: not self._pending, timeout):
                raise TimeoutError(f"after {timeout:g} s still sending: {self._pending}")
            return list(self._records)

    def found(self) -> list[Record]:
        """The settled ones, without those for what is not there: a mirror has one of two layouts."""
        return [record for record in self.settled() if record.status != 404]

    def clear(self) -> None:
        """Forget all of it."""
        with self._changed:
            self._records.clear()
