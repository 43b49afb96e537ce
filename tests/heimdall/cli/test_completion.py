"""Completion in the shells themselves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from heimdall.cli.commands import COMMANDS
from tests.support.programs import find, needs
from tests.support.terminal import on_a_terminal

pytestmark = pytest.mark.slow


def _bash_is_old() -> bool:
    code = "echo $((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1]))"
    done = subprocess.run(["bash", "-c", code], capture_output=True, check=False)
    return int(done.stdout or 0) < 404


needs_bash = pytest.mark.skipif(
    find("bash") is None or _bash_is_old(),
    reason="click's completion needs bash 4.4, macOS has 3.2",
)
SHELLS = [
    pytest.param(shell, marks=needs_bash if shell == "bash" else needs(shell))
    for shell in ("bash", "zsh", "fish")
]
LINES = {
    "heimdall mod": "models",
    "heimdall models ver": "verify",
    "heimdall models verify --rep": "--repair",
    "heimdall --vers": "--version",
    "heimdall completion z": "zsh",
    "heimdall recall x --type conc": "concept",
    "heimdall mcp install --scope us": "user",
    "heimdall mcp remove claude-d": "claude-desktop",
    "heimdall hook session-s": "session-start",
    "heimdall models import some": "some folder/",
    "heimdall models pull --variant some": None,
    "heimdall nothing": None,
}


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A script for each shell, and in `bin` a `heimdall` that completes, or tells how it was called."""
    directory = tmp_path_factory.mktemp("completion")
    environment = {**os.environ, "HEIMDALL_FETCH": "never"}
    for shell in ("bash", "zsh", "fish", "powershell"):
        command = [sys.executable, "-m", "heimdall", "completion", shell]
        with (directory / shell).open("wb") as stream:
            subprocess.run(command, stdout=stream, check=True, env=environment)
    program = directory / "bin" / "heimdall"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\n[ -n "$_HEIMDALL_COMPLETE" ] && exec {sys.executable} -m heimdall "$@"\n'
        "IFS='|'\necho \"RAN:$*:\"\n"
    )
    program.chmod(0o755)
    return directory


@pytest.fixture(autouse=True)
def here(tmp_path: Path, scripts: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a folder in it; `heimdall` is on the path."""
    (tmp_path / "work" / "some folder").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("PATH", f"{scripts / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "work"


def bash(script: Path, line: str) -> list[str]:
    """What bash makes of the line's last word when Tab is pressed."""
    start = script.parent / "bashrc"
    start.write_text(f"source {script}\n")
    return at_the_key(["bash", "--rcfile", str(start), "-i"], line)


def fish(script: Path, line: str) -> list[str]:
    code = "source $argv[1]; complete -C $argv[2]"
    command = ["fish", "--no-config", "-c", code, str(script), line]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
    assert done.stderr == ""
    return [
        completion.partition("\t")[0].replace("\\ ", " ").rstrip("/")
        for completion in done.stdout.splitlines()
    ]


def zsh(script: Path, line: str) -> list[str]:
    """What zsh makes of the line's last word when Tab is pressed."""
    folder = script.parent / "zdotdir"
    folder.mkdir(exist_ok=True)
    (folder / ".zshrc").write_text(
        f"autoload -U compinit; compinit -D -u\nsource {script}\nsetopt no_auto_menu no_list_ambiguous\n"
    )
    return at_the_key(["zsh", "-i"], line, ZDOTDIR=str(folder))


def at_the_key(command: list[str], line: str, **variables: str) -> list[str]:
    environment = {**os.environ, "TERM": "dumb", **variables}
    _, shown = on_a_terminal(command, environment=environment, typed=f"{line}\t\nexit\n")
    typed = line.split(" ")[1:]
    (ran,) = [told[4:-1].split("|") for told in shown.splitlines() if told.startswith("RAN:")]
    assert ran[: len(typed) - 1] == typed[:-1]
    return [] if ran == typed else [ran[len(typed) - 1].rstrip("/")]


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("shell", SHELLS)
def test_what_the_tab_key_gives(shell: str, scripts: Path, line: str) -> None:
    expected = LINES[line]
    completed = {"bash": bash, "zsh": zsh, "fish": fish}[shell](scripts / shell, line)
    assert completed == ([] if expected is None else [expected.rstrip("/")])


@needs_bash
def test_all_commands_and_options_are_offered(scripts: Path) -> None:
    assert offered_by_bash(scripts, "") == [row.name for row in COMMANDS]
    options = "--variant --repair --provenance --bundle --package --json --help"
    assert offered_by_bash(scripts, "models", "verify", "--") == options.split()


def offered_by_bash(scripts: Path, *words: str) -> list[str]:
    code = (
        'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
        '_heimdall_completion heimdall; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    command = ["bash", "--norc", "-c", code, "bash", str(scripts / "bash"), "heimdall", *words]
    return subprocess.run(
        command, capture_output=True, encoding="utf-8", check=True
    ).stdout.splitlines()


@needs("fish")
def test_fish_shows_what_they_do(scripts: Path) -> None:
    code = "source $argv; complete -C 'heimdall '"
    command = ["fish", "--no-config", "-c", code, str(scripts / "fish")]
    shown = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout
    assert shown.splitlines() == sorted(f"{row.name}\t{row.help}" for row in COMMANDS)


def test_a_shell_that_is_not_known() -> None:
    command = [sys.executable, "-m", "heimdall", "completion", "csh"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "'csh' is not one of 'bash', 'zsh', 'fish'" in done.stderr


@pytest.mark.parametrize(
    ("words", "word", "values"),
    [
        ("heimdall\nmod", "mod", ["models"]),
        ("heimdall\nmodels\nverify\n--rep", "--rep", ["--repair"]),
        ("heimdall\nrecall\nx\n--type\nconc", "'conc", ["concept"]),
        ("heimdall\ncompletion", "", ["bash", "zsh", "fish", "powershell"]),
        ("heimdall\nmodels\nimport\nsome", "some", []),
        ("heimdall\nnothing", "nothing", []),
    ],
)
def test_powershell_is_answered_in_lines_of_value_and_help(
    words: str, word: str, values: list[str]
) -> None:
    """There is no PowerShell here: what its script passes on, and what it makes lines of."""
    asked = {"_HEIMDALL_COMPLETE": "powershell_complete", "COMP_WORDS": words, "COMP_CWORD": word}
    command = [sys.executable, "-m", "heimdall"]
    answered = subprocess.run(
        command, env={**os.environ, **asked}, stdout=subprocess.PIPE, encoding="utf-8", check=True
    ).stdout
    assert [line.partition("\t")[0] for line in answered.split("\n") if line] == values


def test_the_script_for_powershell_is_of_letters_that_any_code_page_has(scripts: Path) -> None:
    script = (scripts / "powershell").read_bytes()
    assert script.isascii()
    assert b"-CommandName heimdall, heimdall.exe" in script
    assert script.count(b"{") == script.count(b"}")
