"""The MCP server `heimdall-mcp`: the memory of a project, for AI coding assistants."""

from __future__ import annotations


def main() -> int:
    """Run the server and return its exit code: 0 the client went away, 2 error or usage, 128 + n ended by signal n."""
    from heimdall.mcp_server.command import run

    return run()
