"""`python -m heimdall` is the command `heimdall`."""

import sys

from heimdall.cli import end, main

sys.exit(end(main()))
