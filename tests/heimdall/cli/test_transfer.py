"""Export, import, backup, restore."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.heimdall.cli.conftest import Report, Run

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("project_without_model")]


def test_memories_travel(
    run: Run, report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report("store", "Grüße \u2028 aus dem Wald", "--tag", "ä")
    report("store", "second", "--pin")
    exported = report("export", "all.jsonl")
    assert exported["memories"] == 2
    assert run("export", "all.jsonl").returncode == 2
    lines = run("export").stdout
    assert lines == Path("all.jsonl").read_text(encoding="utf-8") == run("export", "-").stdout

    other = tmp_path / "other"
    (other / ".git").mkdir(parents=True)
    monkeypatch.chdir(other)
    assert report("import", "--own", "-", text=lines)["added"] == 2
    assert report("import", "--own", "-", text=lines)["unchanged"] == 2
    assert run("export").stdout == lines
    broken = run("import", "-", text=lines.replace('"pinned"', '"pined"'))
    assert broken.returncode == 2
    assert "line 2: memory's pined: is not known; did you mean 'pinned'?" in broken.stderr


@pytest.mark.parametrize("line", [b"\xff", b'{"text": "a", "importance": ' + b"9" * 400 + b"}"])
def test_a_line_that_cannot_be_imported_is_named_with_its_file(run: Run, line: bytes) -> None:
    Path("broken.jsonl").write_bytes(b'{"text": "a"}\n' + line)
    done = run("import", "broken.jsonl")
    assert done.returncode == 2
    assert done.stderr.startswith("heimdall: broken.jsonl, line 2: ")


def test_backup_and_restore(run: Run, report: Report) -> None:
    report("store", "kept")
    assert report("backup", "saved.db")["memories"] == 1
    assert run("backup", "saved.db").returncode == 2
    report("store", "later")
    assert run("restore", "saved.db").returncode == 2
    assert report("status")["memories"] == 2
    restored = report("restore", "saved.db", "--force")
    assert restored["memories"] == 1
    assert Path(restored["kept"]).is_file()
    assert [hit["memory"]["text"] for hit in report("recall", "kept later")["hits"]] == ["kept"]
