from __future__ import annotations

import io
import sys
import time
from pathlib import Path
from typing import IO, TextIO, cast

import pytest

from heimdall.models.transfer.progress import BarProgress, LineProgress, Progress, make_progress


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_lines_are_sparse(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    stream = io.StringIO()
    progress = LineProgress(stream)
    progress.start("model from somewhere", 1_000_000, 250_000)
    for _ in range(15):
        now[0] += 2
        progress.advance(50_000)
    progress.stop()
    lines = stream.getvalue().splitlines()
    assert lines[0] == "heimdall: fetching model from somewhere (1.0 MB, continuing after 0.2 MB)"
    assert len(lines) == 2
    assert lines[1] == "heimdall: fetching model from somewhere: 65 %, 0.7 MB of 1.0 MB"


def test_a_bar_on_a_terminal_cleans_up_behind_itself() -> None:
    stream = Terminal()
    progress = make_progress(stream=stream)
    progress.start("model", 1_000_000)
    progress.advance(500_000)
    progress.stop()
    progress.note("ready")
    text = stream.getvalue()
    assert "[████████████············] 50 %, 0.5 MB of 1.0 MB" in text
    assert text.endswith("\r\x1b[K\r\x1b[Kheimdall: ready\n")


def test_a_note_on_a_terminal_is_broken_between_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    stream = Terminal()
    BarProgress(stream).note("github: no connection could be made; trying https://a.example/next")
    assert stream.getvalue() == (
        "\r\x1b[Kheimdall: github: no connection could\n  be made; trying\n  https://a.example/next\n"
    )


def test_an_unknown_total_gives_no_percentage() -> None:
    stream = Terminal()
    progress = BarProgress(stream)
    progress.start("model", None)
    progress.advance(2_000_000)
    assert "%" not in stream.getvalue()
    assert "2.0 MB" in stream.getvalue()


@pytest.mark.parametrize("closed", [True, False])
def test_a_broken_stderr_breaks_nothing(closed: bool) -> None:
    stream = Terminal()
    progress = BarProgress(stream)
    if closed:
        stream.close()
    progress.start("model", 10)
    progress.advance(10)
    progress.stop()
    assert closed == (type(make_progress(stream=stream)) is Progress)


def test_none_when_unwanted_or_without_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    assert type(make_progress(wanted=False)) is Progress
    monkeypatch.setattr(sys, "stderr", None)
    assert type(make_progress()) is Progress


@pytest.mark.parametrize("kind", [LineProgress, BarProgress])
def test_a_note_is_one_message_and_moves_no_cursor(kind: type[LineProgress]) -> None:
    stream = io.StringIO()
    kind(stream).note("took /a\x1b[2J\x9b\r\nheimdall: done")
    said = stream.getvalue().removeprefix("\r\x1b[K")
    assert not {"\x1b", "\x9b", "\r"} & set(said)
    assert "\nheimdall: done" not in said


class Cell(io.TextIOBase):
    """As a notebook's stderr: what is written appears in the cell, and its descriptor leads to the server's log."""

    def __init__(self, log: IO[bytes]) -> None:
        self.log = log
        self.written = self.shown = ""

    def fileno(self) -> int:
        return self.log.fileno()

    def write(self, text: str) -> int:
        self.written += text
        return len(text)

    def flush(self) -> None:
        self.shown = self.written


def test_a_notebook_shows_it_in_its_cell(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w+b") as log:
        cell = Cell(log)
        progress = make_progress(stream=cast(TextIO, cell))
        progress.start("model from somewhere", 1_000_000)
        assert cell.shown == "heimdall: fetching model from somewhere (1.0 MB)\n"
        assert log.tell() == 0
