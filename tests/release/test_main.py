"""The commands, their exit codes and what they say."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from release.__main__ import main
from release.project import ROOT
from tests.support.tiny_release import TinyRelease

pytestmark = pytest.mark.slow


class Commands:
    def __init__(self, folder: Path, tiny: TinyRelease) -> None:
        self.folder = folder
        recipe = str(tiny.write_recipe(folder / "recipe.toml"))
        names = ("models", "assets", "cache", "models.lock.json")
        models, assets, cache, lock = (str(folder / name) for name in names)
        made_of = ["--recipe", recipe, "--models", models]
        self.build = ["build", "--recipe", recipe, "--output", models, "--cache", cache]
        self.pack = ["pack", *made_of, "--output", assets]
        self.lock = ["lock", *made_of, "--assets", assets, "--lock", lock]


@pytest.fixture
def commands(tmp_path: Path, tiny: TinyRelease) -> Commands:
    return Commands(tmp_path, tiny)


def test_build_pack_lock_and_each_a_second_time(
    commands: Commands, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, first, second in (
        (commands.build, "wrote tiny-bert.onnx", "nothing to do: the model is whole in"),
        (commands.pack, "wrote", "unchanged:"),
        (commands.lock, "wrote", "unchanged:"),
    ):
        assert main(arguments) == 0
        assert first in capsys.readouterr().out
        assert main(arguments) == 0
        assert capsys.readouterr().out.startswith(second)
    assert main([*commands.lock, "--check"]) == 0
    assert "pins what is there" in capsys.readouterr().out


def test_two_builds_at_once_fetch_once(commands: Commands) -> None:
    command = [sys.executable, "-m", "release", *commands.build]
    both = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8")
        for _ in range(2)
    ]
    said = [process.communicate(timeout=900)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert "".join(said).count("fetching") == 1
    assert "".join(said).count("nothing to do") == 1


def test_check_exits_with_1_and_writes_nothing(
    commands: Commands, capsys: pytest.CaptureFixture[str]
) -> None:
    main(commands.build)
    main(commands.pack)
    lock = commands.folder / "models.lock.json"
    assert main([*commands.lock, "--check"]) == 1
    assert "there is no lock" in capsys.readouterr().out
    assert not lock.exists()
    main(commands.lock)
    lock.write_text(lock.read_text().replace('"license": "Apache-2.0"', '"license": "MIT"'))
    before = lock.read_bytes()
    assert main([*commands.lock, "--check"]) == 1
    assert (
        "tiny-bert standard.license: the lock has 'MIT', expected 'Apache-2.0'"
        in capsys.readouterr().out
    )
    assert lock.read_bytes() == before


def test_a_tag_names_folder_and_asset(commands: Commands) -> None:
    main(commands.build)
    assert main([*commands.pack, "--tag", "v7.0.0"]) == 0
    assert (commands.folder / "assets" / "v7.0.0" / "heimdall-models-v7.0.0.zip").is_file()
    assert main([*commands.lock, "--tag", "v7.0.0"]) == 0
    assert '"tag": "v7.0.0"' in (commands.folder / "models.lock.json").read_text()


@pytest.mark.parametrize("command", ["pack", "lock"])
def test_a_mistake_exits_with_2_and_says_what_to_do(
    commands: Commands, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert main(getattr(commands, command)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("Error: ")
    assert "run 'python -m release build' first" in captured.err


@pytest.mark.parametrize("arguments", [["nonsense"], ["build", "--nonsense"], ["lock", "--tag"]])
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    assert main(arguments) == 2


def test_help_loads_nothing_heavy_and_the_module_can_be_run() -> None:
    code = (
        "import sys; from release.__main__ import main; code = main(['build', '--help'])\n"
        "print(sorted({'onnx', 'numpy', 'filelock', 'packaging'} & sys.modules.keys()), code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8", check=True
    )
    assert done.stdout.endswith("[] 0\n")
    done = subprocess.run(
        [sys.executable, "-m", "release", "--help"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    for command in ("build", "pack", "lock"):
        assert f"\n  {command} " in done.stdout


def test_an_interrupt_exits_with_130(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted while pip waits for an index that takes the call and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as index:
        index.settimeout(900)
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{index.getsockname()[1]}/simple")
        command = [sys.executable, "-m", "release", *commands.build]
        with subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
        ) as process:
            connection, _ = index.accept()
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=900)
            connection.close()
    assert process.returncode == 130
    assert said.strip() == "interrupted"
    left = {path.name for path in (commands.folder / "cache").iterdir()}
    assert left == {"build.lock"}
