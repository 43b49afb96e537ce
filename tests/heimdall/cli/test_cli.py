"""How the process of a command ends."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path
from typing import TextIO

import pytest

from heimdall.cli import output
from heimdall.cli.command import command
from heimdall.models.report import Report
from tests.support.capabilities import needs_full_device
from tests.support.uncovered import uncovered

BEGIN = """
import atexit, sys, threading, time
from heimdall.cli import end
"""


def run(code: str, stdout: int | TextIO = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BEGIN + code],
        stdout=stdout,
        stderr=subprocess.PIPE,
        env={**uncovered(), "HEIMDALL_FETCH": "never"},  # a traced process ends in the ordinary way
        encoding="utf-8",
        timeout=900,
        check=False,
    )


def test_what_is_registered_is_done_and_what_is_printed_arrives() -> None:
    done = run("""
atexit.register(print, "registered")
threading.Thread(target=time.sleep, args=(600,)).start()
print("printed")
end(3)
print("never reached")
""")
    assert (done.returncode, done.stdout) == (3, "printed\nregistered\n")


def test_without_stdout() -> None:
    assert run("sys.stdout = None; end(4)").returncode == 4


@needs_full_device
def test_what_can_not_be_written_is_told() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = run("print('lost'); sys.exit(end(0))", full)
    assert done.returncode != 0
    assert "No space left" in done.stderr


def test_an_answer_that_can_not_be_written_names_the_output() -> None:
    def show() -> None:
        raise OSError(failure, "it can't be written")

    @command(reports=False)
    def full() -> Report:
        return Report({}, show)

    failure = errno.ENOSPC
    with pytest.raises(OSError, match="standard output"):
        full.main([], standalone_mode=False)
    failure = errno.EINVAL
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(output, "WINDOWS", False)
        with pytest.raises(OSError, match="standard output"):
            full.main([], standalone_mode=False)
        # What Windows says when the reader is gone.
        patch.setattr(output, "WINDOWS", True)
        for name in ("stdout", "stderr"):  # click replaces them
            patch.setattr(sys, name, getattr(sys, name))
        with pytest.raises(SystemExit):
            full.main([], standalone_mode=False)


def test_who_watches_sees_the_end() -> None:
    done = run("sys.setprofile(lambda *_: None); print(end(5), 'returned')")
    assert (done.returncode, done.stdout) == (0, "5 returned\n")
