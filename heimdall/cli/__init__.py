"""The command line `heimdall`: thin commands over the other packages."""

from __future__ import annotations


def main() -> int:
    """Run the command line and return its exit code, one of `heimdall.cli.exit_codes`."""
    try:
        from heimdall.cli.run import run

        return run()
    except KeyboardInterrupt:  # while modules were still being imported
        return 130
