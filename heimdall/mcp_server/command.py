"""The command line `heimdall-mcp`."""

from __future__ import annotations

import sys


def run() -> int:
    """Run the command: without options, which is how clients start it, nothing but the server is loaded."""
    # Clients count the time until the first answer: what parses options is loaded where there are some.
    if not sys.argv[1:]:
        from heimdall.mcp_server.transport.serve_stdio import serve_stdio

        serve_stdio()
    from heimdall.mcp_server.options import run_with_options

    return run_with_options()
