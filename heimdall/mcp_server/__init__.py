"""The MCP server `heimdall-mcp`: the memory of a project, for AI coding assistants."""

from __future__ import annotations


def main() -> int:
    """Run the server and return its exit code: 0 the client went away, 2 error or usage, 128 + n ended by signal n."""
    import sys

    from heimdall.models import streams

    streams.settle()
    # Clients count the time until the first answer: what parses options is loaded where there are some.
    if not sys.argv[1:]:
        from heimdall.mcp_server.transport.serve_stdio import serve_stdio

        serve_stdio()
    from heimdall.mcp_server.options import run_with_options

    return run_with_options()
