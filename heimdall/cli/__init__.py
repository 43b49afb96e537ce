"""The command line `heimdall`: thin commands over the other packages."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line and return its exit code, one of those in `heimdall.models.report`."""
    from heimdall.models import streams

    try:
        streams.settle()
        if sys.argv[1:2] == ["hook"] and not {"--help", "-h"} & {*sys.argv[2:]}:
            # At each event of a conversation: what other commands import takes longer than an answer.
            from heimdall.hooks.run import main as hook

            return hook(sys.argv[2:])
        from heimdall.cli.run import run

        return run()
    except KeyboardInterrupt:  # while modules were still being imported
        return 130


def end(code: int) -> int:
    """End this process, a command's own, at once: to take down all that it loaded takes as long as an answer.

    What was registered for the end of a process is done, and all output written. A thread that still computes is left, so
    that Ctrl-C is answered at once.

    Returns:
        The code, for Python to end with: where a debugger or profiler waits for the end, or output could not be written,
        which Python then tells of.
    """
    import atexit
    import contextlib
    import os

    if sys.gettrace() or sys.getprofile():
        return code
    atexit._run_exitfuncs()
    with contextlib.suppress(OSError, ValueError):
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        os._exit(code)
    return code
