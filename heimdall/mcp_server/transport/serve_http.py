"""Serving any number of clients over streamable HTTP."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from typing import TYPE_CHECKING

import anyio
import click
import uvicorn

from heimdall.errors import HeimdallError
from heimdall.mcp_server.log import begin_log
from heimdall.mcp_server.projects import find
from heimdall.mcp_server.service import Service
from heimdall.mcp_server.transport.address import Address
from heimdall.mcp_server.transport.bearer_token import Token
from heimdall.mcp_server.transport.http_app import make_app
from heimdall.mcp_server.transport.lifetime import GRACE_SECONDS, end_soon, leave

if TYPE_CHECKING:
    from types import FrameType


def serve_http(address: Address, *, hosts: Sequence[str], origins: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT.

    Args:
        hosts: further values of the Host header that are answered.
        origins: values of the Origin header that are answered, besides loopback's.

    Raises:
        AddressError, TokenError, ProjectError, OSError: it can't begin.
    """
    choice, token = find(()), Token.obtain()
    bound = address.listen()
    begin_log()
    host, port = bound.getsockname()[:2]
    service = Service(None)
    app = make_app(service, token, hosts=(f"{address.host}:{port}", *hosts), origins=origins)
    config = uvicorn.Config(
        app,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(GRACE_SECONDS),
    )
    ended: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        """Called once more by uvicorn when it has ended because of the signal."""
        ended.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, note)
    place = f"[{host}]" if ":" in host else host
    _say(f"serving the memory of {choice.project.root} (chosen by {choice.chosen_by})")
    _say(f"at http://{place}:{port}/mcp, for clients with the token of {token.origin}")
    _prepare(service)
    anyio.run(uvicorn.Server(config).serve, [bound])
    code = 128 + ended[-1] if ended else 0
    end_soon(code)
    service.close(GRACE_SECONDS)
    leave(code)


def _prepare(service: Service) -> None:
    try:
        memory = service.memories.existing(find(()).project)
    except (HeimdallError, OSError) as error:
        _say(f"the project's memory can't be opened yet: {error}")
        memory = None
    service.model.begin(memory)


def _say(text: str) -> None:
    click.echo(f"heimdall-mcp: {text}", err=True)
