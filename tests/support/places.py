"""Where heimdall keeps a user's data."""

from __future__ import annotations

import sys

DATA = {
    "darwin": "Library/Application Support/heimdall",
    "win32": "AppData/Local/heimdall-mcp/heimdall",
}.get(sys.platform, ".local/share/heimdall")
"""The data directory, from the home directory, where no variable names another one."""
