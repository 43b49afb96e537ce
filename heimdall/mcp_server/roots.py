"""The directories that the client works in, as it names them: asked once, and again when it says that they changed."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import anyio
import mcp_types as types
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from heimdall.mcp_server.context import Context

ANSWER_SECONDS: Final = 5.0
"""How long a client may take to name its roots."""
ROOTS_KEY: Final = "roots"
"""The name of our question in a result that asks the client for more (2026-07-28)."""

_log = logging.getLogger(__name__)


class Roots:
    """The roots of the one client that this process serves on stdio."""

    def __init__(self) -> None:
        self._paths: tuple[Path, ...] | None = None
        self._changes = 0
        self._asking = anyio.Lock()

    def forget(self) -> None:
        """The client said that its roots changed."""
        self._paths = None
        self._changes += 1

    async def ask(self, ctx: Context) -> tuple[Path, ...]:
        """The client's roots that are directories of this machine; empty when it names none, or does not answer."""
        async with self._asking:
            if self._paths is not None:
                return self._paths
            changes = self._changes
            paths = await _asked(ctx)
            if changes == self._changes:  # what they were before a change is not kept
                self._paths = paths
            return paths

    def question(
        self, ctx: Context, params: types.InputResponseRequestParams
    ) -> types.InputRequiredResult | None:
        """What to ask the client before its request is served: from 2026-07-28 on a server may not ask by itself.

        Args:
            params: of the request, with answers when it is repeated with them.
        """
        if (
            ctx.protocol_version not in MODERN_PROTOCOL_VERSIONS
            or self._paths is not None
            or not _has_roots(ctx)
        ):
            return None
        if params.input_responses is None:
            return types.InputRequiredResult(input_requests={ROOTS_KEY: types.ListRootsRequest()})
        answer = params.input_responses.get(ROOTS_KEY)
        self._paths = _directories(answer) if isinstance(answer, types.ListRootsResult) else ()
        return None


def _has_roots(ctx: Context) -> bool:
    return ctx.session.check_client_capability(
        types.ClientCapabilities(roots=types.RootsCapability())
    )


async def _asked(ctx: Context) -> tuple[Path, ...]:
    if not _has_roots(ctx) or ctx.protocol_version in MODERN_PROTOCOL_VERSIONS:
        return ()
    try:
        answer = await ctx.session.send_request(
            types.ListRootsRequest(),
            types.ListRootsResult,
            request_read_timeout_seconds=ANSWER_SECONDS,
        )
    except (MCPError, ValidationError) as error:
        _log.warning("the client did not name its roots: %s", error)
        return ()
    return _directories(answer)


def _directories(result: types.ListRootsResult) -> tuple[Path, ...]:
    paths = (path_of(str(root.uri)) for root in result.roots)
    return tuple(path for path in paths if path is not None and os.path.isdir(path))  # noqa: PTH112 (`Path.is_dir` raises for a name that is too long)


def path_of(uri: str) -> Path | None:
    """The path that a `file://` URI of this machine names, or None.

    >>> path_of("file:///home/me/a%20project").as_posix()
    '/home/me/a project'
    >>> path_of("file://other.host/share") is None
    True
    """
    try:
        parts = urlsplit(uri)
    except ValueError:  # what looks like an IPv6 address and is none
        return None
    if (
        parts.scheme != "file"
        or parts.netloc not in {"", "localhost"}
        or "\0" in unquote(parts.path)
    ):
        return None
    path = Path(url2pathname(parts.path))
    return path if path.is_absolute() else None
