"""The answer to `initialize`, given while the SDK is still being imported.

Importing the SDK takes half a second, and several where its bytecode is not cached or the disk is cold; clients count
from the moment they start us. What is answered here is, byte for byte, what the SDK would say (a test compares them):
it gets the request as well, and its own answer is held back. Every other first message is left to the SDK.
"""

from __future__ import annotations

import contextlib
import json
import threading
from typing import Final

from heimdall.mcp_server import guide
from heimdall.mcp_server.transport.descriptors import Wire
from heimdall.mcp_server.transport.lines import LineReader, TooLongError, write_line

VERSIONS: Final = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
"""The protocol versions that begin with `initialize`; the last one is offered to clients that want another."""


class Handshake:
    """Reads the client's first line and answers it if it is a plain `initialize`. Meant to run beside imports.

    Args:
        wire: the client's end.

    Attributes:
        answered: the id of the request that was answered here, or None. Known once there was a `next_line`.
    """

    def __init__(self, wire: Wire) -> None:
        self.answered: str | int | None = None
        self._reader = LineReader(wire.incoming)
        self._outgoing = wire.outgoing
        self._line: bytes | None = None
        self._problem: OSError | TooLongError | None = None
        self._thread: threading.Thread | None = threading.Thread(
            target=self._run, name="heimdall-handshake", daemon=True
        )
        self._thread.start()

    def next_line(self) -> bytes | None:
        """Wait for a line: the first, which may be answered already, then those after it. Not for several threads.

        Returns:
            The line; None at the end of input.

        Raises:
            OSError, TooLongError: as `LineReader.next_line`.
        """
        if self._thread is None:
            return self._reader.next_line()
        # Until the answer is written: nothing else may write to the client before.
        self._thread.join()
        self._thread = None
        if self._problem is not None:
            raise self._problem
        return self._line

    def _run(self) -> None:
        try:
            self._line = self._reader.next_line()
        except (OSError, TooLongError) as problem:
            self._problem = problem
            return
        request = plain_initialize(self._line or b"")
        if request is None:
            return
        request_id, version = request
        with contextlib.suppress(OSError):  # nobody reads; the transport finds out by itself
            write_line(self._outgoing, answer(request_id, version))
            self.answered = request_id


def plain_initialize(line: bytes) -> tuple[str | int, str] | None:
    """Id and wanted version of an `initialize` that leaves nothing to decide; None for everything else."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    match message:
        case {
            "jsonrpc": "2.0",
            "id": str() | int() as request_id,
            "method": "initialize",
            "params": {
                "protocolVersion": str() as version,
                "capabilities": dict() as capabilities,
                "clientInfo": {"name": str(), "version": str(), **about},
                **more,
            },
            **rest,
        } if not (rest or more or isinstance(request_id, bool)):
            # Elaborate capabilities and icons, which the SDK may refuse, are left to it.
            known = all(isinstance(value, str) for value in about.values()) and all(
                map(_is_plain, capabilities.values())
            )
            return (request_id, version) if known and _is_text(str(request_id)) else None
    return None


def answer(request_id: str | int, version: str) -> bytes:
    """The response, as one line without its newline."""
    result = {
        "capabilities": {
            "logging": {},
            "prompts": {"listChanged": False},
            "resources": {"listChanged": False, "subscribe": False},
            "tools": {"listChanged": False},
        },
        "instructions": guide.INSTRUCTIONS,
        "protocolVersion": version if version in VERSIONS else VERSIONS[-1],
        "serverInfo": guide.SERVER_INFO | {"version": own_version()},
    }
    response = {"jsonrpc": "2.0", "id": request_id, "result": result}
    return json.dumps(response, ensure_ascii=False, separators=(",", ":")).encode()


def own_version() -> str:
    """The version of the installed distribution."""
    from importlib.metadata import version

    return version("heimdall-mcp")


def _is_text(text: str) -> bool:
    """Whether it can be written as UTF-8: half a character, as JavaScript cuts it, can't."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _is_plain(capability: object) -> bool:
    return isinstance(capability, dict) and all(
        isinstance(flag, (bool, dict)) for flag in capability.values()
    )
