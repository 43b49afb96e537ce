from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from hatch_heimdall_models.cli import main
from hatch_heimdall_models.config import HookConfig, ModelConfig
from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.vendor import vendor, vendored_text
from tests.support.pythons import find_python
from tests.support.samples import SRC

CONFIG = HookConfig("src/app/models", "src/app/model_manifest.json", "me/app")
FILE = "src/app/_models.py"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "src/app").mkdir(parents=True)
    return tmp_path


def test_the_command_writes_it_and_knows_it_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    SRC.write(tmp_path)
    file = "src/iris_sorter/_models.py"
    arguments = ["vendor", file, "--project", str(tmp_path)]
    assert main([*arguments, "--check"]) == 1
    assert "is not there; 'hatch-heimdall-models vendor" in capsys.readouterr().out
    assert main(arguments) == 0
    assert capsys.readouterr().out == f"wrote {file}\n"
    assert main([*arguments, "--check"]) == 0
    assert capsys.readouterr().out == f"{file} is right\n"


def test_it_is_one_file_of_the_standard_library_alone() -> None:
    text = vendored_text(CONFIG, FILE)
    assert "hatch_heimdall_models" not in text
    assert "'hatch-heimdall-models vendor src/app/_models.py'" in text
    assert max(map(len, text.splitlines())) < 150


def test_the_oldest_python_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "models.py"
    file.write_text(vendored_text(CONFIG, FILE))
    command = [str(find_python("3.8")), "-W", "error", "-m", "py_compile", str(file)]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0


def test_places_are_relative_to_it() -> None:
    config = replace(
        CONFIG, manifest="src/app/data/pins.json", variant_folders={"compact": "small"}
    )
    text = vendored_text(config, FILE)
    for line in (
        "MANIFEST = 'data/pins.json'",
        "LOCK = '../../models.lock.json'",
        "MODELS_DIR = 'models'",
        "VARIANT_FOLDERS = {'compact': 'small'}",
    ):
        assert f"\n{line}\n" in text


@pytest.mark.parametrize(
    ("alter", "reason"),
    [
        (lambda text: text.replace("_ROUNDS = 3", "_ROUNDS = 9"), "was changed by hand"),
        (lambda _: "print()\n", "was not written by hatch-heimdall-models vendor"),
        (
            lambda text: text.replace("hatch-heimdall-models 0", "hatch-heimdall-models 99.0", 1),
            "was written by release 99.0",
        ),
        (
            lambda _: vendored_text(replace(CONFIG, lock="pins.lock"), FILE),
            "was written for another configuration",
        ),
    ],
)
def test_a_check_says_what_is_wrong(root: Path, alter: object, reason: str) -> None:
    assert callable(alter)
    (root / FILE).write_text(alter(vendored_text(CONFIG, FILE)))
    right, line = vendor(root, CONFIG, FILE, check=True)
    assert not right
    assert reason in line


def test_line_ends_of_version_control_do_not_count(root: Path) -> None:
    (root / FILE).write_bytes(vendored_text(CONFIG, FILE).replace("\n", "\r\n").encode())
    assert vendor(root, CONFIG, FILE, check=True)[0]


def test_another_file_is_left_as_it_is(root: Path) -> None:
    (root / FILE).write_text("print()\n")
    with pytest.raises(ModelBuildError, match="is another file, which is left as it is"):
        vendor(root, CONFIG, FILE, check=False)
    assert (root / FILE).read_text() == "print()\n"


def test_an_older_one_is_replaced(root: Path) -> None:
    (root / FILE).write_text(vendored_text(CONFIG, FILE, version="0.0.1"))
    vendor(root, CONFIG, FILE, check=False)
    assert (root / FILE).read_text() == vendored_text(CONFIG, FILE)


@pytest.mark.parametrize(
    ("config", "file", "reason"),
    [
        (CONFIG, "src/other/_models.py", "has to lie in src/other or below it"),
        (CONFIG, "src/app/models/_models.py", "lies in models-dir"),
        (CONFIG, "src/app/models.txt", r"has to be a Python module, \*\.py"),
        (CONFIG, "/src/app/models.py", "name the file relative to the project's root"),
        (
            replace(
                CONFIG, models=(ModelConfig("a", "MIT", "x", marker="platform_release > '6'"),)
            ),
            FILE,
            "use heimdall-models instead, or another marker",
        ),
    ],
)
def test_what_it_can_not_serve_is_refused(config: HookConfig, file: str, reason: str) -> None:
    with pytest.raises(ModelBuildError, match=reason):
        vendored_text(config, file)
