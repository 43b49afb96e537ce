"""What our commands read and write is UTF-8, whatever the system's code page."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from heimdall.models import streams

TEXT = "a snake, Größe 日本 🐍"
CODE_PAGE = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
"""What gives a process streams of another encoding, as Windows does everywhere."""


@contextmanager
def pipes(given: bytes = b"", **variables: str) -> Iterator[dict[str, io.BytesIO]]:
    """Standard streams in the code page of a Western Windows, and what is behind them, settled."""
    behind = {"stdin": io.BytesIO(given), "stdout": io.BytesIO(), "stderr": io.BytesIO()}
    # In the test and not in a fixture: pytest sets its own streams before each.
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONIOENCODING", raising=False)
        for name, value in variables.items():
            patch.setenv(name, value)
        for name, raw in behind.items():
            stream = io.TextIOWrapper(raw, encoding="cp1252", newline="\r\n", write_through=True)
            patch.setattr(sys, name, stream)
        streams.settle()
        yield behind


def test_what_is_written_is_utf_8_with_the_line_ends_that_it_has() -> None:
    with pipes() as behind:
        print(TEXT)
        print(TEXT, file=sys.stderr)
        assert behind["stdout"].getvalue() == behind["stderr"].getvalue() == f"{TEXT}\n".encode()


def test_a_path_that_is_no_text_is_written_as_the_file_system_has_it() -> None:
    path = b"/a\xff" if os.name == "posix" else b"/a\xed\xb2\x80"
    with pipes() as behind:
        print(os.fsdecode(path), end="")
        assert behind["stdout"].getvalue() == path


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_what_is_read_is_utf_8_without_its_mark(mark: bytes) -> None:
    with pipes(mark + TEXT.encode()):
        assert sys.stdin.read() == TEXT


def test_another_encoding_that_is_asked_for_is_kept() -> None:
    with pipes(b"Gr\xf6\xdfe", PYTHONIOENCODING="cp1252") as behind:
        print("Größe 日")
        assert sys.stdin.read() == "Größe"
        assert behind["stdout"].getvalue() == b"Gr\xf6\xdfe \\u65e5\n"


def test_a_missing_stdin_is_an_empty_one() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", None)
        streams.settle()
        with sys.stdin:
            assert not sys.stdin.isatty()
            assert sys.stdin.buffer.read() == b""


@pytest.mark.slow
def test_nobody_answers_at_the_null_device() -> None:
    code = "import sys; from heimdall.models import streams; streams.settle(); print(sys.stdin.isatty(), [sys.stdin.read()])"
    asked = subprocess.run(
        [sys.executable, "-c", code], stdin=subprocess.DEVNULL, capture_output=True, check=True
    )
    assert asked.stdout.split() == [b"False", b"['']"]


def test_closed_and_missing_streams_are_left_alone() -> None:
    with pipes(), pytest.MonkeyPatch.context() as patch:
        sys.stdin.close()
        patch.setattr(sys, "stdout", None)
        streams.settle()
        assert sys.stderr.encoding == "utf-8"


@pytest.mark.slow
def test_a_command_stores_and_recalls_any_text_through_pipes(tmp_path: os.PathLike[str]) -> None:
    def heimdall(*words: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        environment = {**os.environ, **CODE_PAGE, "HEIMDALL_OFFLINE": "1"}
        command = [sys.executable, "-m", "heimdall", *words]
        return subprocess.run(
            command, input=given, env=environment, cwd=tmp_path, capture_output=True, check=False
        )

    refused = heimdall("store", "-", given="Größe".encode("latin-1"))
    assert refused.returncode == 2
    assert b"standard input is not UTF-8 (byte 0xf6 at position 2); nothing was stored" in (
        refused.stderr
    )
    refused = heimdall("store", "-", given="text".encode("utf-16-le"))
    assert refused.returncode == 2
    assert b"is not UTF-8 (a NUL character, as UTF-16 has)" in refused.stderr
    assert heimdall("store", "-", given=b"\xef\xbb\xbf" + TEXT.encode()).returncode == 0
    for words in (("recall", "snake"), ("recall", "snake", "--json"), ("export",)):
        answered = heimdall(*words)
        assert answered.returncode == 0, answered.stderr
        assert TEXT.encode() in answered.stdout
        assert b"\xef\xbb\xbf" not in answered.stdout
        assert b"\r" not in answered.stdout
