"""The directories that the client works in, as it names them: asked once, and again when it says that they changed."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import anyio
import mcp_types as types
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from heimdall.mcp_server.context import Context
from heimdall.mcp_server.places import directory
from heimdall.models.text import printable

ANSWER_SECONDS: Final = 5.0
"""How long a client may take to name its roots."""
ROOTS_KEY: Final = "roots"
"""The name of our question in a result that asks the client for more (2026-07-28)."""

_LONGEST: Final = 200
"""Characters of a name that are shown."""

_log = logging.getLogger(__name__)


class _Named(types.Result):
    """The client's answer, of which one bad root leaves the others as they are."""

    roots: list[Any]


class Roots:
    """The roots of the one client that this process serves on stdio.

    Attributes:
        unread: the names of those that are no directories of this machine.
    """

    def __init__(self) -> None:
        self.unread: tuple[str, ...] = ()
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
            paths = self._read(await _asked(ctx))
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
        roots = answer.roots if isinstance(answer, types.ListRootsResult) else []
        self._paths = self._read(str(root.uri) for root in roots)
        return None

    def _read(self, roots: Iterable[object]) -> tuple[Path, ...]:
        """Those that are directories of this machine; what else a client names is left out, one by one, and said."""
        paths, unread = _sorted(roots)
        if unread != self.unread:
            for name in unread:
                _log.warning("the client's root %s is no directory of this machine", name)
        self.unread = unread
        return paths


def _has_roots(ctx: Context) -> bool:
    return ctx.session.check_client_capability(
        types.ClientCapabilities(roots=types.RootsCapability())
    )


async def _asked(ctx: Context) -> Sequence[object]:
    if not _has_roots(ctx) or ctx.protocol_version in MODERN_PROTOCOL_VERSIONS:
        return ()
    try:
        answer = await ctx.session.send_request(
            types.ListRootsRequest(), _Named, request_read_timeout_seconds=ANSWER_SECONDS
        )
    except (MCPError, ValidationError) as error:
        _log.warning("the client did not name its roots: %s", error)
        return ()
    return answer.roots


def _sorted(roots: Iterable[object]) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Those that are directories of this machine, and the names of the others."""
    named = [(name, directory(name)) for root in roots if (name := _name(root))]
    paths = tuple(path for _, path in named if path)
    return paths, tuple(printable(name)[:_LONGEST] for name, path in named if not path)


def _name(root: object) -> str | None:
    """The URI of a root, or the path that some clients give instead."""
    if isinstance(root, dict):
        root = root.get("uri") or root.get("path")
    return root if isinstance(root, str) else None
