"""From errors to messages and exit codes, for every command alike."""

from __future__ import annotations

import os
from collections.abc import Sequence

import click

from heimdall.cli import output
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
    output.print_everything()
    try:
        code = heimdall.main(args=arguments, prog_name="heimdall", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return ERROR
    except (click.Abort, KeyboardInterrupt):
        output.complain("interrupted; what is done is kept, and a download goes on where it was")
        return INTERRUPTED
    except SystemExit:
        return ERROR  # click ends so, with the code 1, when the reader of our output went away
    except (HeimdallError, OSError) as error:
        if os.environ.get("HEIMDALL_DEBUG") == "1":
            raise
        output.complain(_in_words(error))
        return ERROR
    except Exception as error:  # a mistake of ours: its traceback is for the log, not for the user
        if os.environ.get("HEIMDALL_DEBUG") == "1":
            raise
        from heimdall.cli import records

        records.mistake_of_ours(error)
        return ERROR
    return code if isinstance(code, int) else 0


def _in_words(error: HeimdallError | OSError) -> str:
    """The error's text; of the system's errors the path first, without a number."""
    if isinstance(error, OSError) and not isinstance(error, HeimdallError):
        path = error.filename
        if isinstance(path, (str, bytes)) and path and error.strerror:
            return f"{os.fsdecode(path)}: {error.strerror}"
    return str(error)
