"""The command line `heimdall`: thin commands over the other packages."""

from __future__ import annotations


def main() -> int:
    """Run the command line and return its exit code, one of those in `heimdall.models.report`."""
    try:
        from heimdall.cli.run import run

        return run()
    except KeyboardInterrupt:  # while modules were still being imported
        return 130
