"""The command line `heimdall`: thin commands over the other packages."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line and return its exit code, one of those in `heimdall.models.report`."""
    try:
        if sys.argv[1:2] == ["hook"] and not {"--help", "-h"} & {*sys.argv[2:]}:
            # At each event of a conversation: what other commands import takes longer than an answer.
            from heimdall.hooks.run import main as hook

            return hook(sys.argv[2:])
        from heimdall.cli.run import run

        return run()
    except KeyboardInterrupt:  # while modules were still being imported
        return 130
