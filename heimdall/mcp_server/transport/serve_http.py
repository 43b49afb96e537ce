"""Serving any number of clients over streamable HTTP."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from functools import partial
from typing import NoReturn

import anyio
import click

from heimdall.mcp_server.log import begin_log, tell_beginning
from heimdall.mcp_server.projects import find
from heimdall.mcp_server.service import Service
from heimdall.mcp_server.transport.address import Address
from heimdall.mcp_server.transport.bearer_token import Token
from heimdall.mcp_server.transport.connection_limit import ConnectionLimit, Server
from heimdall.mcp_server.transport.http_app import make_app, shows
from heimdall.mcp_server.transport.lifetime import GRACE_SECONDS, end
from heimdall.mcp_server.transport.names import Names
from heimdall.models.text import printable


def serve_http(address: Address, *, hosts: Sequence[str], origins: Sequence[str]) -> NoReturn:
    """Serve until SIGTERM or SIGINT.

    Args:
        hosts: further values of the Host header that are answered.
        origins: values of the Origin header that are answered, besides loopback's.

    Raises:
        AddressError, TokenError, ProjectError, OSError: it can't begin.
    """
    choice, token = find(()), Token.obtain()
    names = Names.of(hosts, origins)
    bound = address.listen()
    begin_log()
    tell_beginning()
    host, port = bound.getsockname()[:2]
    service = Service(None)
    server = Server(
        make_app(service, token, names.and_host(address.host, port)),
        ConnectionLimit(partial(shows, token)),
        grace_seconds=int(GRACE_SECONDS),
    )
    signals: list[int] = []

    # Called once more by uvicorn when it has ended because of the signal.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _frame: signals.append(number))
    place = f"[{host}]" if ":" in host else host
    _say(f"serving the memory of {choice.project.root} (chosen by {choice.chosen_by})")
    _say(f"at http://{place}:{port}/mcp, for clients with the token of {token.origin}")

    async def serve() -> None:
        await service.prepare(None)
        await server.serve([bound])

    anyio.run(serve)
    end(service, signals)


def _say(text: str) -> None:
    click.echo(f"heimdall-mcp: {printable(text)}", err=True)
