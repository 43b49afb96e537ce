"""What the SDK hands to every handler."""

from __future__ import annotations

from typing import Any, TypeAlias

from mcp.server import ServerRequestContext

Context: TypeAlias = ServerRequestContext[Any, Any]
"""A request or notification: its session, its protocol version, what the transport knows of it."""
