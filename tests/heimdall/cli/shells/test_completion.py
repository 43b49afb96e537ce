"""Completion in the shells themselves."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from heimdall.cli.commands import COMMANDS
from tests.support.terminal import on_a_terminal


def needs(shell: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed")


SHELLS = [pytest.param(shell, marks=needs(shell)) for shell in ("bash", "zsh", "fish")]
LINES = {
    "heimdall mod": "models",
    "heimdall models ver": "verify",
    "heimdall models verify --rep": "--repair",
    "heimdall --vers": "--version",
    "heimdall completion z": "zsh",
    "heimdall mcp install --sco": "--scope",
    "heimdall mcp install --scope us": "user",
    "heimdall models import some": "some folder/",
    "heimdall models pull --variant some": None,
    "heimdall nothing": None,
}


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("completion")
    environment = {**os.environ, "HEIMDALL_FETCH": "never"}
    for shell in ("bash", "zsh", "fish"):
        command = [sys.executable, "-m", "heimdall", "completion", shell]
        with (directory / shell).open("wb") as stream:
            subprocess.run(command, stdout=stream, check=True, env=environment)
    return directory


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a folder in it."""
    (tmp_path / "work" / "some folder").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def bash(script: Path, line: str) -> list[str]:
    words = line.split(" ")
    code = (
        'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); compopt() { return 1; }; _heimdall; '
        '[ ${#COMPREPLY[@]} = 0 ] || printf "%s\\n" "${COMPREPLY[@]}"'
    )
    command = ["bash", "--norc", "-c", code, "bash", script, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return [found.rstrip("/") for found in done.stdout.splitlines()]


def fish(script: Path, line: str) -> list[str]:
    command = ["fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", script, line]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return [
        found.partition("\t")[0].replace("\\ ", " ").rstrip("/")
        for found in done.stdout.splitlines()
    ]


def zsh(script: Path, line: str) -> list[str]:
    """What zsh makes of the line's last word when Tab is pressed."""
    folder = script.parent / "zdotdir"
    folder.mkdir(exist_ok=True)
    (folder / ".zshrc").write_text(
        f"autoload -U compinit; compinit -D -u\nsource {script}\nsetopt no_auto_menu no_list_ambiguous\n"
        'heimdall() { print -r -- "RAN:${(j:|:)@}:" }\n'
    )
    return at_the_key(["zsh", "-i"], line, ZDOTDIR=str(folder))


def at_the_key(command: list[str], line: str, **variables: str) -> list[str]:
    environment = {**os.environ, "TERM": "dumb", **variables}
    _, shown = on_a_terminal(command, environment=environment, typed=f"{line}\t\nexit\n")
    typed = line.split(" ")[1:]
    (ran,) = [found[4:-1].split("|") for found in shown.splitlines() if found.startswith("RAN:")]
    assert ran[: len(typed) - 1] == typed[:-1]
    return [] if ran == typed else [ran[len(typed) - 1].rstrip("/")]


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("shell", SHELLS)
def test_what_the_tab_key_gives(shell: str, scripts: Path, line: str) -> None:
    expected = LINES[line]
    found = {"bash": bash, "zsh": zsh, "fish": fish}[shell](scripts / shell, line)
    assert found == ([] if expected is None else [expected.rstrip("/")])


@needs("bash")
@pytest.mark.parametrize(
    "line", ["heimdall mod", "heimdall models import some", "heimdall models pull --variant some"]
)
def test_bash_on_a_terminal(scripts: Path, line: str) -> None:
    expected = LINES[line]
    start = scripts / "bashrc"
    start.write_text(
        f"source {scripts / 'bash'}\nheimdall() {{ local IFS='|'; echo \"RAN:$*:\"; }}\n"
    )
    found = at_the_key(["bash", "--rcfile", str(start), "-i"], line)
    assert found == ([] if expected is None else [expected.rstrip("/")])


@needs("bash")
def test_all_commands_and_options_are_offered(scripts: Path) -> None:
    assert bash(scripts / "bash", "heimdall ") == [row.name for row in COMMANDS]
    assert bash(scripts / "bash", "heimdall models verify --") == [
        "--variant",
        "--repair",
        "--package",
        "--json",
        "--help",
    ]


@needs("fish")
def test_fish_shows_what_they_do(scripts: Path) -> None:
    command = [
        "fish",
        "--no-config",
        "-c",
        "source $argv; complete -C 'heimdall '",
        scripts / "fish",
    ]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert shown.splitlines() == sorted(f"{row.name}\t{row.help}" for row in COMMANDS)


@pytest.mark.parametrize("shell", SHELLS)
def test_no_python_runs_at_the_key(shell: str, scripts: Path) -> None:
    text = (scripts / shell).read_text()
    assert "python" not in text
    assert "$(heimdall" not in text
    subprocess.run([shell, "-n", scripts / shell], check=True)


def test_a_shell_that_is_not_known() -> None:
    command = [sys.executable, "-m", "heimdall", "completion", "csh"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HEIMDALL_FETCH": "never"},
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "'csh' is not one of 'bash', 'zsh', 'fish'" in done.stderr
