"""Where heimdall keeps a user's data."""

from __future__ import annotations

import os
import sys
from unittest import mock

from heimdall.models import locations

DATA = {
    "darwin": "Library/Application Support/heimdall",
    "win32": "AppData/Local/heimdall-mcp/heimdall",
}.get(sys.platform, ".local/share/heimdall")
"""The data directory, from the home directory, where no variable names another one."""

with mock.patch.dict(os.environ, clear=True):
    KNOWN = locations._usual_directory("XDG_DATA_DIRS", "/usual") is not None
"""Whether heimdall knows this Python's directories without platformdirs: not on Windows, nor of Homebrew's."""
