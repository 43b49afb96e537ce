from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heimdall.cli import output
from heimdall.cli.memory_view import note
from heimdall.cli.progress import progress
from heimdall.cli.run import run as command_line
from heimdall.cli.tables import table
from heimdall.models.settings import SettingsError
from heimdall.models.text import printable, printable_json
from tests.support.capabilities import needs_any_bytes
from tests.support.terminal import on_a_terminal

pytestmark = [pytest.mark.usefixtures("no_fetch"), pytest.mark.slow]

EVIL = "e\x1b[31mvil\x07\u202e"
PRINT = f"""
from heimdall.cli import output
from heimdall.cli.tables import Column, table
table(["id", Column("count", right=True), "text"], [["a1", 3, output.good("日本語")], ["b", 12000, None]])
output.fields([("name", "some prose that is longer than a narrow terminal"), ("path", "/a" * 40), ("bad", output.bad({EVIL!r}))])
output.paragraph("first line\\nsecond line of more words than fit", indent=4)
output.line(output.mark("pass"), " fine")
"""


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_says_the_same_and_nothing_to_a_terminal(value: object) -> None:
    text = printable_json(json.dumps(value, ensure_ascii=False))
    assert json.loads(text) == value
    assert not re.search("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", text)


def test_what_a_shell_puts_into_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line([f"--{EVIL}"]) == 2
    assert command_line(["recall", "--limit", EVIL, "x"]) == 2
    said = capsys.readouterr().err
    assert said.count("evil") == 0
    assert said.count("[31mvil") == 2
    assert not {"\x1b", "\x07", "\u202e"} & set(said)


def test_a_note_and_a_question_have_no_control_characters(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    note(EVIL)
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert output.confirmed(f"Remove {EVIL}?")
    said = capsys.readouterr()
    assert not {"\x1b", "\x07", "\u202e"} & set(said.err + said.out)


@pytest.fixture
def no_fetch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEIMDALL_FETCH", "use")


def run(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **variables},
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=900,
    )


def test_in_a_pipe_it_is_plain_and_aligned() -> None:
    done = run(PRINT)
    assert done.stdout.splitlines() == [
        "id  count  text",
        "a1      3  日本語",
        "b   12000",
        "name  some prose that is longer than a narrow terminal",
        f"path  {'/a' * 40}",
        "bad   e\N{REPLACEMENT CHARACTER}[31mvil\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}",
        "    first line",
        "    second line of more words than fit",
        "✓ fine",
    ]


def test_rich_stays_out_of_pipes() -> None:
    code = "import sys; from heimdall.cli import output, tables; tables.table(['a'], [['b']]); output.fields([('a', 'b')])"
    assert "rich" not in run(f"{code}; print(*sys.modules)").stdout.split()


def test_a_terminal_gets_colours_and_lines_that_fit() -> None:
    environment = {**os.environ, "TERM": "xterm-256color"}
    code, shown = on_a_terminal([sys.executable, "-c", PRINT], columns=40, environment=environment)
    assert code == 0
    assert "\x1b[38;5;28m日本語" in shown
    assert "\x1b[31mvil" not in shown
    assert "\x07" not in shown
    lines = shown.splitlines()
    assert "      narrow terminal" in lines, "prose goes on under itself"
    assert "/a" * 40 in shown, "a path can be copied"


def test_a_terminal_too_narrow_for_tables_gets_plain_rows() -> None:
    _, shown = on_a_terminal([sys.executable, "-c", PRINT], columns=12)
    assert "a1      3  日本語\n" in shown
    assert "b   12000\n" in shown


def test_a_cell_is_not_wrapped_letter_by_letter() -> None:
    code = (
        "from heimdall.cli.tables import Column, table; whole = [Column('w' * 9, whole=True)] * 3; "
        "table(['project', *whole, 'state'], [['/home/ann/code', 9, 8, 7, 'ok']])"
    )
    for columns in (40, 80):
        _, shown = on_a_terminal([sys.executable, "-c", code], columns=columns)
        assert "/home/ann/code" in shown


def test_no_color_is_obeyed() -> None:
    environment = {**os.environ, "NO_COLOR": "1"}
    _, shown = on_a_terminal([sys.executable, "-c", PRINT], environment=environment)
    assert "\x1b" not in shown
    assert "日本語" in shown


def test_a_dumb_terminal_gets_plain_text() -> None:
    _, shown = on_a_terminal(
        [sys.executable, "-c", PRINT], environment={**os.environ, "TERM": "dumb"}
    )
    assert "\x1b" not in shown


def test_signs_become_letters_where_there_are_none() -> None:
    code = "from heimdall.cli import output; output.line(output.mark('pass'), ' fine'); output.as_json({'a': '日'})"
    assert run(code, PYTHONIOENCODING="ascii").stdout == 'ok fine\n{\n  "a": "\\u65e5"\n}\n'


def test_an_error_on_a_terminal_goes_on_under_where_it_began(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(output, "on_terminal", lambda _stream: True)
    monkeypatch.setenv("COLUMNS", "40")
    output.error(
        "it could not be fetched by any of those:\n  - github: nobody answered to this call"
    )
    assert click.unstyle(capsys.readouterr().err).splitlines() == [
        "heimdall: it could not be fetched by",
        "  any of those:",
        "    - github: nobody answered to",
        "      this call",
    ]


def test_a_question_is_broken_between_its_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(output, "on_terminal", lambda _stream: True)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert output.confirmed("Shall it also keep what is said to be remembered?")
    asked = "Shall it also keep what is said to be\n  remembered? [y/N]: "
    assert capsys.readouterr().err == asked


@needs_any_bytes
def test_a_path_that_is_no_text_can_be_written_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    output.as_json({"path": os.fsdecode(b"/a\xff")})
    assert json.loads(capsys.readouterr().out)["path"] == os.fsdecode(b"/a\xff")


@given(st.text())
def test_what_is_printed_moves_no_cursor(text: str) -> None:
    cleaned = printable(text)
    assert len(cleaned) == len(text)
    for character in cleaned:
        assert (
            character.isprintable()
            or character in "\u200c\u200d"
            or "\udc80" <= character <= "\udcff"
        )


@given(
    st.lists(
        st.lists(st.one_of(st.none(), st.integers(), st.text()), min_size=2, max_size=2), max_size=5
    )
)
def test_every_row_of_a_plain_table_is_one_line(rows: list[list[object]]) -> None:
    stream = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        table(["one", "two"], rows)
    assert len(stream.getvalue().split("\n")) == len(rows) + 2


def test_a_closed_stream_is_no_terminal() -> None:
    stream = io.StringIO()
    stream.close()
    assert not output.on_terminal(stream)
    assert not output.on_terminal(None)


PROGRESS = "from heimdall.cli.progress import progress\nwith progress('embedding') as report: report(0, 0); report(3, 9)"


def test_progress_is_a_bar_on_a_terminal_and_silent_in_a_short_pipe() -> None:
    _, shown = on_a_terminal([sys.executable, "-c", PROGRESS])
    assert "embedding" in shown
    assert "3 of 9" in shown
    done = run(PROGRESS)
    assert (done.stdout, done.stderr) == ("", "")


def test_progress_lines_come_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("heimdall.models.transfer.progress._LINE_SECONDS", 0.0)
    with progress("embedding") as report:
        report(3, 9)
        report(4, 0)
    assert capsys.readouterr().err == "heimdall: embedding: 33 %, 3 of 9\nheimdall: embedding: 4\n"


def test_progress_can_be_turned_off(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("heimdall.models.transfer.progress._LINE_SECONDS", 0.0)
    monkeypatch.setenv("HEIMDALL_PROGRESS", "0")
    with progress("embedding") as report:
        report(3, 9)
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("HEIMDALL_PROGRESS", "perhaps")
    with pytest.raises(SettingsError, match="HEIMDALL_PROGRESS"), progress("embedding"):
        pass
