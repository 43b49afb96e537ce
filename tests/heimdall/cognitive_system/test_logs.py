from __future__ import annotations

import logging
import os
import re
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from heimdall.cognitive_system import log_file, logs
from heimdall.models.processes import host_name
from heimdall.models.settings import SettingsError
from tests.support.capabilities import needs_fork
from tests.support.places import DATA
from tests.support.real_model import ROOT

WRITER = """
import logging, sys
from heimdall.cognitive_system import log_file, logs
log_file.MOST_BYTES = 20_000
logs.keep_logs("heimdall")
log = logging.getLogger("heimdall.test")
for number in range(int(sys.argv[2])):
    log.info("writer %s line %d %s", sys.argv[1], number, "x" * 40)
"""
FORKER = """
import logging, os
from heimdall.cognitive_system.logs import keep_logs
keep_logs("heimdall")
log = logging.getLogger("cognitive_memory")
log.info("parent %d", os.getpid())
children = []
for _ in range(3):
    child = os.fork()
    if not child:
        for number in range(50): log.info("child %d line %d", os.getpid(), number)
        os._exit(0)
    children.append(child)
for child in children: os.waitpid(child, 0)
"""
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ [A-Z]+ [\w.]+ \[\w+\] .+")


@pytest.fixture
def directory(home: Path) -> Path:
    return home / DATA / "logs"


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("HEIMDALL_FETCH", "never")
    before = {
        name: (logging.getLogger(name).handlers[:], logging.getLogger(name).level)
        for name in logs.LOGGERS
    }
    yield
    for name, (handlers, level) in before.items():
        for handler in logging.getLogger(name).handlers:
            if handler not in handlers:
                handler.close()
        logging.getLogger(name).handlers = handlers
        logging.getLogger(name).setLevel(level)


def start(code: str, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        env=environment,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def text_of(directory: Path) -> str:
    return "".join(path.read_text() for path in sorted(directory.iterdir()))


def test_nothing_is_made_before_the_first_record(directory: Path) -> None:
    log = logs.keep_logs("heimdall")
    assert log is not None
    assert not directory.exists()
    logging.getLogger("heimdall.models").info("fetched %s", "it")
    assert [path.name for path in directory.iterdir()] == [log.file.path.name]
    assert LINE.fullmatch(text_of(directory).rstrip("\n"))
    assert "INFO heimdall.models [MainThread] fetched it" in text_of(directory)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_only_this_user_can_read_it_whatever_the_umask(directory: Path) -> None:
    log = logs.keep_logs("heimdall")
    assert log is not None
    before = os.umask(0o002)
    try:
        logging.getLogger("heimdall").warning("once")
    finally:
        os.umask(before)
    assert stat.S_IMODE(log.file.path.stat().st_mode) == 0o600


@pytest.mark.skipif(os.name == "nt", reason="links and modes of POSIX")
@pytest.mark.parametrize("trap", ["link", "dangling link", "second name", "writable", "fifo"])
def test_what_somebody_prepared_under_its_name_is_not_written_to(
    directory: Path, tmp_path: Path, trap: str
) -> None:
    victim = tmp_path / "victim"
    directory.mkdir(parents=True)
    log = logs.keep_logs("heimdall")
    assert log is not None
    path = log.file.path
    if trap != "dangling link":
        victim.write_text("precious")
    match trap:
        case "second name":
            os.link(victim, path)
        case "writable":
            path.write_text("precious")
            path.chmod(0o666)
        case "fifo":
            os.mkfifo(path)
        case _:
            path.symlink_to(victim)
    logging.getLogger("heimdall").warning("not there")
    if trap == "dangling link":
        assert not victim.exists()
    else:
        assert victim.read_text() == "precious"
    if trap == "writable":
        assert path.read_text() == "precious"


@pytest.mark.parametrize(
    ("level", "kept"),
    [
        ("debug", {"debug", "info", "warning", "error"}),
        ("INFO", {"info", "warning", "error"}),
        ("", {"info", "warning", "error"}),
        ("warning", {"warning", "error"}),
        ("error", {"error"}),
        ("off", set()),
    ],
)
def test_levels(
    directory: Path, monkeypatch: pytest.MonkeyPatch, level: str, kept: set[str]
) -> None:
    monkeypatch.setenv("HEIMDALL_LOG_LEVEL", level)
    logs.keep_logs("heimdall")
    for name in ("debug", "info", "warning", "error"):
        getattr(logging.getLogger("cognitive_memory.storage"), name)("said %s", name)
    found = set(re.findall(r"said (\w+)", text_of(directory))) if directory.exists() else set()
    assert found == kept


def test_a_level_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEIMDALL_LOG_LEVEL", "loud")
    with pytest.raises(
        SettingsError,
        match=r"HEIMDALL_LOG_LEVEL='loud': expected one of debug, info, warning, error, off",
    ):
        logs.keep_logs("heimdall")


def test_other_libraries_are_not_kept(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEIMDALL_LOG_LEVEL", "debug")
    logs.keep_logs("heimdall")
    logging.getLogger("urllib3").error("GET /signed?signature=abc")
    assert not directory.exists()


def test_twice_is_once(directory: Path) -> None:
    first = logs.keep_logs("heimdall")
    logging.getLogger("heimdall").info("none")
    logs.keep_logs("heimdall")
    logging.getLogger("heimdall").info("one")
    assert text_of(directory).count(" one") == 1
    assert first is not None
    assert first.file.stream is None, "the one before is closed"


def test_no_secret_and_no_forged_line(directory: Path) -> None:
    logs.keep_logs("heimdall")
    logging.getLogger("heimdall").info(
        "from https://me:hunter2@host/x?sig=hunter2\n2026-01-01T00:00:00Z ERROR forged"
    )
    try:
        int("https://me:hunter2@host")
    except ValueError:
        logging.getLogger("heimdall").exception("failed")
    text = text_of(directory)
    assert "hunter2" not in text
    assert len([line for line in text.splitlines() if not line.startswith("    ")]) == 2
    assert "Traceback" in text


@pytest.mark.slow
def test_processes_at_once_tear_and_lose_nothing(directory: Path) -> None:
    writers = [start(WRITER, str(number), "150") for number in range(5)]
    assert [writer.communicate(timeout=900)[1] for writer in writers] == [""] * 5
    lines = text_of(directory).splitlines()
    assert all(LINE.fullmatch(line) for line in lines)
    said = sorted(line.partition("] ")[2][:-40].strip() for line in lines)
    assert said == sorted(
        f"writer {writer} line {number}" for writer in range(5) for number in range(150)
    )
    assert len(list(directory.iterdir())) == 5


def test_a_full_file_is_turned_over_once(directory: Path) -> None:
    assert start(WRITER, "one", "1000").communicate(timeout=900)[1] == ""
    current, old = sorted(directory.iterdir())
    assert (old.name, current.stat().st_size <= 20_000, old.stat().st_size <= 20_000) == (
        f"{current.name}.1",
        True,
        True,
    )
    numbers = [
        int(number) for number in re.findall(r"line (\d+)", old.read_text() + current.read_text())
    ]
    assert numbers == list(range(numbers[0], 1000)), "the newest lines, in order"


@needs_fork
def test_a_forked_child_has_a_file_of_its_own(directory: Path) -> None:
    assert start(FORKER).communicate(timeout=900)[1] == ""
    files = list(directory.iterdir())
    assert len(files) == 4
    for path in files:
        process = path.name.split(".")[-2]
        assert set(re.findall(r"(?:parent|child) (\d+)", path.read_text())) == {process}


def make(directory: Path, name: str, *, days: float) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / name
    path.write_text("old")
    written = time.time() - days * 86_400
    os.utime(path, (written, written))
    return path


def test_sweeping_keeps_the_newest_the_running_and_what_is_not_ours(directory: Path) -> None:
    host = host_name()
    dead = 2**22 + 1  # beyond what Linux gives
    running = make(directory, f"heimdall.20200101T000000Z.{host}.{os.getpid()}.log", days=400)
    parent = make(directory, f"heimdall-mcp.20200101T000000Z.{host}.{os.getppid()}.log.1", days=400)
    foreign = make(directory, "notes.log", days=400)
    elsewhere = make(directory, f"heimdall.20200101T000000Z.elsewhere.{os.getpid()}.log", days=31)
    impossible = make(directory, f"heimdall.20200101T000000Z.{host}.{10**30}.log", days=31)
    old = make(directory, f"heimdall.20190101T000000Z.{host}.{dead}.log", days=31)
    recent = [
        make(directory, f"heimdall.20200101T0000{n:02}Z.{host}.{dead}.log", days=n + 0.5)
        for n in range(25)
    ]
    log_file.sweep(directory)
    assert all(path.exists() for path in (running, parent, foreign))
    assert [path.name for path in (elsewhere, old, impossible) if path.exists()] == []
    assert [path.exists() for path in recent] == [True] * 20 + [False] * 5


@pytest.mark.slow
def test_sweepers_at_once_do_not_disturb_one_another(directory: Path) -> None:
    for number in range(200):
        make(directory, f"heimdall.20200101T000000Z.elsewhere.{number}.log", days=31)
    writers = [start(WRITER, str(number), "1") for number in range(6)]
    assert [writer.communicate(timeout=900)[1] for writer in writers] == [""] * 6
    assert len(list(directory.iterdir())) == 6


def test_where_logs_can_not_be_written_the_program_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HEIMDALL_DATA_DIR", str(tmp_path / "file"))
    logs.keep_logs("heimdall")
    logging.getLogger("heimdall").info("lost")
    assert capsys.readouterr().err == ""


def test_without_what_writes_logs_the_program_goes_on(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs.keep_logs("heimdall")
    with monkeypatch.context() as missing:
        missing.setitem(sys.modules, "heimdall.cognitive_system.log_file", None)
        logging.getLogger("heimdall").info("lost")
    logging.getLogger("heimdall").info("kept")
    assert re.findall("kept|lost", text_of(directory)) == ["kept"]


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps it while a process is there")
def test_a_working_directory_that_is_gone_is_no_matter(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    logs.keep_logs("heimdall")
    logging.getLogger("heimdall").info("kept")
    assert "kept" in text_of(directory)


def test_a_record_that_can_not_be_formatted_is_named_and_not_shown(directory: Path) -> None:
    code = (
        "import logging; from heimdall.cognitive_system.logs import keep_logs; keep_logs('heimdall')\n"
        "logging.getLogger('heimdall').info('%d', 'my memory')\n"
        "logging.getLogger('heimdall').info('next \\udcff')\n"
    )
    assert start(code).communicate(timeout=900)[1] == ""
    first, second = text_of(directory).splitlines()
    assert "a record of heimdall (<string>:2) can't be formatted" in first
    assert second.endswith("next \\udcff")
    assert "memory" not in first
