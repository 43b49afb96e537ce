"""The command line `heimdall`: thin commands over the other packages."""

from __future__ import annotations


def main() -> int:
    """Run the command line and return its exit code: 0 done, 1 found wanting, 2 error or usage, 130 interrupted."""
    try:
        from heimdall.cli.run import run

        return run()
    except KeyboardInterrupt:  # while modules were still being imported
        return 130
