from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cognitive_memory.opening import open_memory
from cognitive_memory.project.find import find_project
from heimdall.hooks.hosts import HOSTS, Event
from heimdall.hooks.run import parse
from tests.heimdall.hooks.conftest import HEIMDALL, Project
from tests.support.capabilities import needs_full_device
from tests.support.places import DATA

pytestmark = pytest.mark.slow


def log() -> str:
    folder = Path.home() / DATA / "logs"
    return "".join(path.read_text("utf-8") for path in folder.glob("*.log"))


def test_arguments() -> None:
    assert parse(["stop"]) == (Event.STOP, "")
    assert parse(["stop", "--client", "codex"]) == (Event.STOP, "codex")
    assert parse(["--client=codex", "stop"]) == (Event.STOP, "codex")


@pytest.mark.parametrize(
    ("arguments", "content"),
    [
        (["nothing"], b"{}"),
        ([], b"{}"),
        (["stop", "--verbose"], b"{}"),
        (["session-start"], b""),
        (["session-start"], b"\xff\xfe{"),
        (["session-start"], b"[" * 100_000),
        (["session-start"], b"[1, 2]"),
        (["session-start", "--client", "nobody"], b'{"session_id": "s", "cwd": "/"}'),
        (["session-start"], b'{"session_id": "s", "cwd": "/nowhere"}'),
    ],
)
def test_what_is_not_known_is_answered_with_nothing_and_logged(
    arguments: list[str], content: bytes
) -> None:
    done = subprocess.run(
        [str(HEIMDALL), "hook", *arguments],
        input=content,
        capture_output=True,
        timeout=900,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert "WARNING heimdall.hooks" in log()
    assert "Traceback" not in log()


def test_a_project_without_a_memory_gets_none_by_looking(project: Project) -> None:
    done = project.hook("session-start", project.payload())
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (project.root / ".heimdall").exists()


def test_a_damaged_memory_is_answered_with_nothing_and_logged(project: Project) -> None:
    project.store("something")
    (project.root / ".heimdall/cognitive_memory.db").write_bytes(b"garbage" * 1000)
    done = project.hook("session-start", project.payload())
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "cognitive_memory.db" in log()


def test_a_data_directory_that_can_not_be_written_is_no_obstacle(project: Project) -> None:
    project.store("never on Fridays", pinned=True)
    hooks = Path.home() / DATA / "hooks"
    hooks.write_text("in the way")
    assert "never on Fridays" in project.told("session-start", project.payload())


@needs_full_device
def test_a_reader_that_went_away_is_no_failure(project: Project) -> None:
    project.store("never on Fridays", pinned=True)
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [str(HEIMDALL), "hook", "session-start"],
            input=json.dumps(project.payload()).encode(),
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=900,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_project_is_that_of_the_payloads_folder_or_the_one_that_is_named(
    project: Project, tmp_path: Path
) -> None:
    project.store("of the project", pinned=True)
    other = Project(tmp_path / "other")
    (other.root / ".git").mkdir(parents=True)
    other.store("of the other", pinned=True)
    (project.root / "src").mkdir()
    inside = project.payload(cwd=str(project.root / "src"))
    assert "of the project" in project.told("session-start", inside)
    done = project.hook("session-start", inside, HEIMDALL_PROJECT=str(other.root))
    assert "of the other" in done.stdout


@pytest.mark.parametrize("event", [Event.SESSION_START, Event.STOP])
def test_a_start_and_a_capture_load_nothing_heavy(project: Project, event: Event) -> None:
    project.store("never on Fridays", pinned=True)
    told = project.payload(HOSTS["claude-code"].events[event], prompt="remember that it is light")
    code = (
        "import atexit, sys, _heimdall_commands\n"
        f"sys.argv = ['heimdall', 'hook', '{event}']\n"
        "atexit.register(lambda: print(*sorted(sys.modules), file=sys.stderr))\n"
        "sys.exit(_heimdall_commands.heimdall())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(told),
        capture_output=True,
        encoding="utf-8",
        cwd=os.fspath(project.root),
        timeout=900,
        check=True,
    )
    assert ("never on Fridays" in done.stdout) == (event is Event.SESSION_START)
    modules = done.stderr.split()
    heavy = {"click", "numpy", "onnxruntime", "tokenizers", "yaml", "rich", "mcp", "pydantic"}
    assert not heavy & {*modules}
    assert not {name for name in modules if name.startswith("logging.handlers")}


def test_the_command_line_tells_of_it() -> None:
    done = subprocess.run(
        [str(HEIMDALL), "hook", "--help"],
        capture_output=True,
        encoding="utf-8",
        timeout=900,
        check=True,
    )
    assert "session-start" in done.stdout


def test_who_has_no_later_event_is_heard_at_the_prompt(project: Project) -> None:
    told = {
        "hookName": "prompt_submit",
        "taskId": "1",
        "workspaceRoots": [str(project.root)],
        "userPromptSubmit": {"prompt": "Remember that pears are picked in September."},
    }
    done = project.hook("user-prompt", told, "--client", "cline-vscode")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    with open_memory(find_project(project.root)) as memory:
        assert [one.text for one in memory.memories()] == ["Pears are picked in September."]
