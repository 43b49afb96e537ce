"""How long the server lives: until its client goes away, a signal ends it, or its parent is gone."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import anyio

if TYPE_CHECKING:
    from heimdall.mcp_server.service import Service

GRACE_SECONDS: Final = 2.0
"""How long the work in hand may take to end."""
_LOOK_SECONDS: Final = 2.0

_log = logging.getLogger(__name__)


async def end_by_signal(scope: anyio.CancelScope, signals: list[int]) -> None:
    """Cancel the scope at SIGTERM, SIGHUP or SIGINT, and make sure that the process ends soon after.

    Args:
        signals: gets the signal's number, for `end`.
    """
    if sys.platform == "win32":
        return  # there a client closes stdin, and Python turns Ctrl-C into KeyboardInterrupt
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGHUP, signal.SIGINT) as received:
        async for number in received:
            signals.append(number)
            _end_soon(128 + number)
            scope.cancel()
            return


async def end_with_client(scope: anyio.CancelScope) -> None:
    """Cancel the scope when the client's process is gone, also where somebody else still holds the other end of stdin."""
    client, is_gone = _client()
    # A poll: the system tells nobody of its parent's end but on Linux, and there only of a thread's.
    while not is_gone():
        await anyio.sleep(_LOOK_SECONDS)
    _log.warning("process %d, which started this server, is gone", client)
    scope.cancel()


def _client() -> tuple[int, Callable[[], bool]]:
    """The number of the client's process, and what tells whether it is gone."""
    parent = os.getppid()
    if os.name != "nt":
        return parent, lambda: os.getppid() != parent
    from heimdall.mcp_server.transport.ancestors import client_of
    from heimdall.models import windows

    # Where a virtual environment's program started another one, which is this process.
    redirected = Path(sys.executable) if sys.executable != _base_executable() else Path()
    number = client_of(os.getpid(), windows.processes(), redirected=redirected.name)
    with contextlib.suppress(OSError):
        if number is not None:
            # Held, so that nobody else gets its number; one that began after us has got it already.
            client = windows.Handle(number)
            if client.began() <= windows.Handle(os.getpid()).began():
                return number, client.ended
    # Who the client was can't be told: the end of stdin is what ends us.
    return parent, lambda: False


def _base_executable() -> str:
    return str(getattr(sys, "_base_executable", sys.executable))


def end(service: Service, signals: Sequence[int]) -> NoReturn:
    """End the process: 0 when the client went away, 128 + n when signal n ended it.

    The databases are closed; threads that wait for the network or for a line are not waited for.
    """
    code = 128 + signals[-1] if signals else 0
    _end_soon(code)
    service.close(GRACE_SECONDS)
    logging.shutdown()
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.flush()
    os._exit(code)


def _end_soon(code: int) -> None:
    """Leave the process after twice the grace, whatever it is doing then."""
    # Twice: whoever waits for the grace to pass must still have time to say so.
    timer = threading.Timer(2 * GRACE_SECONDS, os._exit, args=(code,))
    timer.daemon = True
    timer.start()
