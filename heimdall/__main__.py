"""`python -m heimdall` is the command `heimdall`."""

import sys

from heimdall.cli import main

sys.exit(main())
