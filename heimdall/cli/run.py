"""From errors to messages and exit codes, for every command alike."""

from __future__ import annotations

import os
from collections.abc import Sequence

import click

from heimdall.cli import output
from heimdall.cli.commands import COMPLETE_VARIABLE, PROGRAM, heimdall
from heimdall.errors import HeimdallError
from heimdall.models.report import EXIT_ERROR, EXIT_INTERRUPTED, EXIT_OK


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: default: those of the process.

    Returns:
        An exit code of `heimdall.models.report`. `HEIMDALL_DEBUG=1` shows tracebacks.
    """
    if COMPLETE_VARIABLE in os.environ:
        from heimdall.cli import powershell  # noqa: F401 (makes itself known to click)
    try:
        code: int = heimdall.main(
            args=arguments, prog_name=PROGRAM, complete_var=COMPLETE_VARIABLE, standalone_mode=False
        )
    except click.ClickException as error:
        output.usage(error)
        return EXIT_ERROR
    except (click.Abort, KeyboardInterrupt) as end:
        # Without a cause it comes of a question, before anything was done.
        at_a_question = isinstance(end, click.Abort) and end.__cause__ is None
        kept = (
            "" if at_a_question else "; what is done is kept, and a download goes on where it was"
        )
        output.error(f"interrupted{kept}")
        return EXIT_INTERRUPTED
    except SystemExit as end:
        # click ends so with 0 after a completion, and with 1 when the reader of our output went
        # away
        return EXIT_ERROR if end.code else EXIT_OK
    except Exception as error:
        if os.environ.get("HEIMDALL_DEBUG") == "1":
            raise
        if isinstance(error, (HeimdallError, OSError)):
            output.error(_in_words(error))
        else:  # a mistake of ours: its traceback is for the log, not for the user
            from heimdall.cli import records

            records.mistake_of_ours(error)
        return EXIT_ERROR
    return code


def _in_words(error: HeimdallError | OSError) -> str:
    """The error's text; of the system's errors the path first, without a number."""
    if isinstance(error, OSError) and not isinstance(error, HeimdallError):
        path = error.filename
        if isinstance(path, (str, bytes)) and path and error.strerror:
            return f"{os.fsdecode(path)}: {error.strerror}"
    return str(error)
