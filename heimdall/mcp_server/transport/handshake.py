"""The client's first requests, answered while the SDK is still being imported.

Importing the SDK takes half a second, and several where its bytecode is not cached or the disk is cold; clients count
from the moment they start us, and some begin their first turn without tools when those are not listed within a second.
"""

from __future__ import annotations

import queue
import threading
from contextlib import suppress
from typing import Any, Final

from heimdall.mcp_server.transport.descriptors import Wire
from heimdall.mcp_server.transport.lines import LineReader, TooLongError, write_line
from heimdall.mcp_server.transport.opening import Call, Opening

_MOST_KEPT: Final = 1024 * 1024
"""Bytes of messages beyond which no more are read before somebody asks for them."""


class Handshake:
    """Reads what the client says, and answers what an `Opening` can. Meant to run beside imports.

    It ends with the first `next_line`: from then on whoever called that answers, also what is the first request then.
    What was answered is not handed on, but for the first request: that one tells the SDK whom it talks to, and its
    answer there is to be held back.

    Args:
        wire: the client's end.

    Attributes:
        answered: the id of the first request if it was answered here, or None. Known once there was a `next_line`.
    """

    def __init__(self, wire: Wire) -> None:
        self.answered: str | int | None = None
        self._reader = LineReader(wire.incoming)
        self._outgoing = wire.outgoing
        self._answering = threading.Lock()
        self._taken_over = False
        self._call: Call | None = None
        self._may_call = threading.Event()
        self._needed: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._kept: queue.SimpleQueue[bytes | OSError | TooLongError | None] | None
        self._kept = queue.SimpleQueue()
        threading.Thread(
            target=self._run, args=(self._kept,), name="heimdall-handshake", daemon=True
        ).start()

    def until_needed(self, call: Call, seconds: float) -> None:
        """Wait while nobody else is needed: until a message is left to others, or none came for so long.

        Args:
            call: as in `Opening`; works in another thread, and never after this returned.
            seconds: how long to wait for each message.
        """
        self._call = call
        self._may_call.set()
        needed = False
        while not needed:
            with suppress(queue.Empty):
                needed = self._needed.get(timeout=seconds)
                continue
            with self._answering:  # what it takes to answer is no silence
                needed = self._needed.empty()
        with self._answering:
            self._call = None

    def next_line(self) -> bytes | None:
        """Wait for a line: what is left of the first ones, then those after them. Not for several threads.

        Returns:
            The line; None at the end of input.

        Raises:
            OSError, TooLongError: as `LineReader.next_line`.
        """
        if self._kept is not None:
            self._may_call.set()
            # Until an answer is written: nothing else may write to the client meanwhile.
            with self._answering:
                self._taken_over = True
            line = self._kept.get()
            if isinstance(line, Exception):
                raise line
            if line is not None:
                return line
            self._kept = None
        return self._reader.next_line()

    def _run(self, kept: queue.SimpleQueue[bytes | OSError | TooLongError | None]) -> None:
        """Read until somebody else does; None tells that nothing more is kept."""
        try:
            self._read(kept)
        finally:
            kept.put(None)
            self._needed.put(True)

    def _read(self, kept: queue.SimpleQueue[bytes | OSError | TooLongError | None]) -> None:
        opening, size = Opening(self._called), 0
        while size <= _MOST_KEPT and not self._taken_over:
            try:
                line = self._reader.next_line()
            except TooLongError as problem:
                kept.put(problem)
                self._needed.put(True)
                continue
            except OSError as problem:
                kept.put(problem)
                break
            if line is None:
                break
            with self._answering:
                answered = self._was_answered(opening, line)
                self._needed.put(opening.left)
            if not answered:
                kept.put(line)
                size += len(line)

    def _called(self, params: dict[str, Any]) -> dict[str, Any] | None:
        self._may_call.wait()
        return None if self._call is None else self._call(params)

    def _was_answered(self, opening: Opening, line: bytes) -> bool:
        """Answer a line if that is possible; whether nobody else needs it."""
        answer = None if self._taken_over else opening.answer(line)
        if answer is None:
            return False
        try:
            write_line(self._outgoing, answer.line)
        except OSError:  # nobody reads; the transport finds out by itself
            return False
        if answer.first:
            self.answered = answer.request_id
        return not answer.first
