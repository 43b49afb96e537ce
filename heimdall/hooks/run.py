"""The command `heimdall hook`: from a host's payload on stdin to its answer on stdout.

A hook must never be in the way: it ends with 0 whatever happens, says nothing that is no answer, and ends in time.
Whatever goes wrong is in heimdall's log. What is imported here is imported at each event of a conversation, so it is
little.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Sequence
from typing import BinaryIO

from heimdall.hooks.hosts import Event

MOST_SECONDS = 20.0
"""When a hook ends by force: hosts wait for 30 seconds and more."""
MOST_BYTES = 8_000_000
"""How much of a payload is read; more is none."""

_log = logging.getLogger("heimdall.hooks")


def main(arguments: Sequence[str]) -> int:
    """Answer one event.

    Args:
        arguments: those behind `heimdall hook`.

    Returns:
        0.
    """
    end = threading.Timer(MOST_SECONDS, os._exit, (0,))
    end.daemon = True
    end.start()
    _keep_logs()
    try:
        event, client = parse(arguments)
        content = _standard_input()
        if content is not None:
            _write(respond(content, event, client))
    except KeyboardInterrupt:
        pass
    except Exception as error:  # noqa: BLE001 (whatever it is)
        _log_failure(error)
    finally:
        end.cancel()
        _leave_stdout()
    return 0


def parse(arguments: Sequence[str]) -> tuple[Event, str]:
    """The event, and the client's name if one is given.

    Raises:
        ValueError: there is no such event, or an option is none.
    """
    rest, client = [], ""
    given = iter(arguments)
    for argument in given:
        name, equals, value = argument.partition("=")
        if name == "--client":
            client = value if equals else next(given, "")
        else:
            rest.append(argument)
    if len(rest) != 1:
        raise ValueError(f"expected one event, got {rest}")
    return Event(rest[0]), client


def respond(content: bytes, event: Event, client: str = "") -> str:
    """The answer to a payload; empty where there is nothing to tell.

    Raises:
        UnknownPayloadError: it is none of ours.
        HeimdallError, OSError: the memory can't be used.
    """
    from heimdall.hooks import payload
    from heimdall.hooks.answering import told
    from heimdall.hooks.hosts import answer

    read = payload.read(content, event, os.environ, client=client)
    return answer(read.host, event, read.name, told(read))


def _standard_input() -> bytes | None:
    """The payload; None where there is none."""
    stream: BinaryIO = sys.stdin.buffer
    if stream.isatty():
        with contextlib.suppress(AttributeError, OSError):
            sys.stderr.write(
                "heimdall hook is for assistants: it reads their JSON on stdin ('heimdall hook --help')\n"
            )
        return None
    content = stream.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError(f"the payload has more than {MOST_BYTES:,} bytes")
    return content


def _write(answer: str) -> None:
    if answer and sys.stdout:
        sys.stdout.buffer.write(answer.encode())
        sys.stdout.buffer.flush()


def _leave_stdout() -> None:
    """Let nobody write there any more, not even Python at its end, who would complain of a reader that went away."""
    with contextlib.suppress(AttributeError, OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _keep_logs() -> None:
    """Send records to the log file alone: nothing of ours may be on stderr."""
    from heimdall.cognitive_system.logs import LOGGERS, keep_logs
    from heimdall.errors import HeimdallError

    with contextlib.suppress(
        HeimdallError
    ):  # the level's variable is wrong, which other commands tell
        keep_logs("heimdall")
    for logger in map(logging.getLogger, LOGGERS):
        logger.addHandler(logging.NullHandler())
        logger.propagate = False


def _log_failure(error: Exception) -> None:
    from heimdall.errors import HeimdallError

    expected = isinstance(error, (HeimdallError, OSError, ValueError))
    with contextlib.suppress(Exception):  # a log that fails is no reason to be in the way
        _log.warning("hook: %s", error, exc_info=None if expected else error)
