"""`python -m hatch_heimdall_models`: the command `hatch-heimdall-models`."""

import sys

from hatch_heimdall_models.cli import main

sys.exit(main())
