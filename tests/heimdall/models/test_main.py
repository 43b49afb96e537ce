"""The commands without click, in this process. As an installed command: test_distribution."""

from __future__ import annotations

import errno
import json
from functools import partial
from pathlib import Path

import pytest

from heimdall.models import packages, plain_output
from heimdall.models.__main__ import main
from heimdall.models.commands import COMMANDS, Command
from heimdall.models.errors import ManifestError
from heimdall.models.packages import chosen_package
from heimdall.models.report import Report
from tests.support.small_model import SmallModel

pytestmark = pytest.mark.usefixtures("mirror")


def test_text_json_and_exit_codes(small: SmallModel, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["path"]) == 1
    printed = capsys.readouterr()
    expected = "small (standard) is not here; 'heimdall models pull' fetches it"
    assert (printed.out, printed.err) == ("", f"heimdall-models: {expected}\n")
    assert main(["path", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {"directory": None}
    assert main(["pull"]) == 0
    outcome, directory = capsys.readouterr().out.splitlines()
    assert outcome == "small (standard): from mirror, verified"
    small.assert_tree(Path(directory))
    assert main(["status"]) == 0
    rows = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert rows["path"] == directory
    assert rows["state"] == "complete, in the shared directory"
    assert main(["prune", "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["dry_run"] is True


def test_a_missing_model_is_told_as_json_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(tmp_path / "model.zip"), "--json"]) == 1
    expected = {"model": "small", "variant": "standard", "file": None, "size": None}
    printed = capsys.readouterr()
    assert (json.loads(printed.out), printed.err) == (expected, "")


def test_an_error_is_a_message(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pull", "--variant", "huge"]) == 2
    assert capsys.readouterr().err.startswith("heimdall-models: model manifest ")


@pytest.mark.parametrize(
    ("command", "work"),
    [("verify", "heimdall.models.verify.verify"), ("prune", "heimdall.models.prune.judge")],
)
def test_a_closed_directory_is_explained(
    command: str,
    work: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def closed(_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path / "locks"))

    monkeypatch.setattr(work, closed)
    assert main([command]) == 2
    printed = capsys.readouterr().err
    assert "/models can't be used: Permission denied" in printed.replace("\\", "/")
    assert "belongs to" in printed
    assert "set HEIMDALL_DATA_DIR to a" in printed


def test_a_bad_command_line_shows_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["pull", "--fast"])
    assert caught.value.code == 2
    assert "usage: heimdall-models" in capsys.readouterr().err


def test_an_interruption_has_its_own_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setitem(COMMANDS, "pull", Command(interrupted))  # type: ignore[arg-type]
    assert main(["pull"]) == 130
    assert "a download goes on where it was" in capsys.readouterr().err


def test_nothing_moves_the_cursor(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report = Report({}, partial(plain_output.line, "a\x1b[2Jb"))
    monkeypatch.setitem(COMMANDS, "pull", Command(lambda *_, **__: report))
    assert main(["pull"]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_which_package_is_meant_without_heimdall(monkeypatch: pytest.MonkeyPatch) -> None:
    assert chosen_package().is_heimdall
    monkeypatch.setattr(packages, "PART_OF_HEIMDALL", False)
    for names, message in (
        ([], "none that is installed has one"),
        (["blue", "red"], "one of blue, red"),
    ):
        monkeypatch.setattr(packages, "installed_packages", lambda names=names: names)
        with pytest.raises(ManifestError, match=message):
            chosen_package()
