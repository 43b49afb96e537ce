"""From errors to messages and exit codes, for every command alike."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from heimdall.cli.commands import heimdall
from heimdall.errors import HeimdallError

ERROR = 2
INTERRUPTED = 130


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: default: those of the process.

    Returns:
        0 done, 1 checked and found wanting, 2 error or usage, 130 interrupted. `HEIMDALL_DEBUG=1` shows tracebacks.
    """
    try:
        code = heimdall.main(args=arguments, prog_name="heimdall", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return ERROR
    except (click.Abort, KeyboardInterrupt):
        click.echo("heimdall: interrupted; what was downloaded is kept and continued next time", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away; keep Python from complaining when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ERROR
    except (HeimdallError, OSError) as error:
        if os.environ.get("HEIMDALL_DEBUG") == "1":
            raise
        click.echo(f"heimdall: {error}", err=True)
        return ERROR
    return code if isinstance(code, int) else 0
