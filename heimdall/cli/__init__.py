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

        code = run()
    except KeyboardInterrupt:  # while modules were still being imported
        return 130
    if code == 130:
        _leave_threads(code)
    return code


def _leave_threads(code: int) -> None:
    """End the process if a thread still computes: Python would wait for it, and Ctrl-C is answered at once."""
    import contextlib
    import os
    import threading

    if all(thread.daemon or thread is threading.main_thread() for thread in threading.enumerate()):
        return
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)
