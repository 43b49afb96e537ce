"""The exit codes of the commands of this package and of `release`."""

from typing import Final

EXIT_OK: Final = 0
"""Done."""
EXIT_FINDINGS: Final = 1
"""Checked, and something needs attention."""
EXIT_ERROR: Final = 2
"""An error, or a mistake in the command line."""
EXIT_INTERRUPTED: Final = 130
"""Ended by Ctrl-C."""
