"""`python -m heimdall.mcp_server` is the command `heimdall-mcp`."""

import sys

from heimdall.mcp_server import main

sys.exit(main())
