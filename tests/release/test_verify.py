"""`verify`: the public release against lock, wheel and attestation."""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.manifest import Asset, Manifest
from release.__main__ import main
from release.assets import SUMS_NAME
from release.checkout import Checkout
from release.verify import verify
from release.wheel_pins import MANIFEST, pins_of_installed, pins_of_wheel
from tests.support.faults import Fault, FaultyGitHub, WrongBytes
from tests.support.github_cli import tls_github
from tests.support.release_checkout import (
    CONTENT,
    NAME,
    REPOSITORY,
    SUMS,
    TAG,
    make_checkout,
    manifest,
)
from tests.support.tiny_release import zip_bytes

pytestmark = pytest.mark.slow


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """The directory of what is published: the asset and its sums."""
    folder = tmp_path / "published"
    (folder / TAG).mkdir(parents=True)
    (folder / TAG / NAME).write_bytes(CONTENT)
    (folder / TAG / SUMS_NAME).write_bytes(SUMS)
    return folder


@pytest.fixture
def server(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FaultyGitHub]:
    """The stand-in without its API: no gh is needed to verify."""
    monkeypatch.setattr("release.public._WAITS", (0.0,))
    with tls_github(tmp_path, monkeypatch, published, repository=REPOSITORY) as server:
        yield server


@pytest.fixture
def gh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Put a program in gh's place that knows attestations, since Debian's is older than they are.

    It can be told how to end, and writes down what it was asked.
    """
    if sys.platform == "win32":
        pytest.skip("a script is no program on Windows")
    folder = tmp_path / "bin"
    folder.mkdir()
    asked = tmp_path / "asked"

    def install(code: int, message: str, *, knows_attestations: bool = True) -> Path:
        program = folder / "gh"
        program.write_text(
            f"#!{sys.executable}\nimport json, sys\n"
            f"open({str(asked)!r}, 'a').write(json.dumps(sys.argv[1:]) + '\\n')\n"
            f"if ('--help' not in sys.argv or not {knows_attestations}) and {code}:\n    sys.exit({message!r})\n"
        )
        program.chmod(0o755)
        return asked

    monkeypatch.setenv("PATH", str(folder))
    return install


def check(lock: Manifest, wheel: Path | None = None, tag: str = TAG) -> tuple[list[str], str]:
    said: list[str] = []
    problems = verify(lock, tag, pins_of_wheel(wheel) if wheel else None, said.append)
    return problems, "\n".join(said)


def make_wheel(folder: Path, pins: Manifest | None, version: str = "1.0.0") -> Path:
    members = {
        f"tiny_dist-{version}.dist-info/METADATA": f"Name: tiny-dist\nVersion: {version}\n".encode()
    }
    if pins is not None:
        members[MANIFEST] = pins.dumps().encode()
    path = folder / f"tiny_dist-{version}-py3-none-any.whl"
    path.write_bytes(zip_bytes(members))
    return path


def test_a_right_release_is_as_it_should_be(server: FaultyGitHub, tmp_path: Path) -> None:
    problems, said = check(manifest(), make_wheel(tmp_path, manifest()))
    assert problems == []
    assert "tiny_dist-1.0.0-py3-none-any.whl pins what the lock pins" in said
    assert f"{server.download_url(TAG, NAME)} has the pinned bytes" in said
    assert f"{server.download_url(TAG, SUMS_NAME)} has the pinned bytes" in said
    assert not any(record.authorized for record in server.requests.settled())


def test_an_asset_of_an_older_release_is_fetched_from_there(
    server: FaultyGitHub, published: Path
) -> None:
    (published / TAG).rename(published / "v0.9.0")
    (published / "v0.9.0" / NAME).rename(published / "v0.9.0" / "heimdall-models-v0.9.0.zip")
    old = Asset(
        "v0.9.0", "heimdall-models-v0.9.0.zip", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT)
    )
    problems, said = check(manifest(old))
    assert problems == []
    assert SUMS_NAME not in said


def test_every_problem_is_named(server: FaultyGitHub, published: Path, tmp_path: Path) -> None:
    (published / TAG / NAME).write_bytes(CONTENT[::-1])
    (published / TAG / SUMS_NAME).unlink()
    other = Manifest(
        "tiny-dist", REPOSITORY, "tiny-bert", manifest(Asset(TAG, NAME, "0" * 64, 1)).models
    )
    problems, _ = check(manifest(), make_wheel(tmp_path, other, "1.0.1"))
    for part in (
        "is version 1.0.1, whose tag is v1.0.1, not v1.0.0",
        "pins something else than the lock",
        f"{NAME}: expected sha256",
        f"{SUMS_NAME}: answered 404",
    ):
        assert len([problem for problem in problems if part in problem]) == 1, part
    assert len(problems) == 4


def test_an_asset_that_holds_other_files_than_are_pinned_is_found(
    server: FaultyGitHub, published: Path
) -> None:
    content = zip_bytes({"models/weights.bin": b"other weights"})
    digest = hashlib.sha256(content).hexdigest()
    (published / TAG / NAME).write_bytes(content)
    (published / TAG / SUMS_NAME).write_text(f"{digest}  {NAME}\n", newline="\n")
    problems, _ = check(manifest(Asset(TAG, NAME, digest, len(content))))
    assert problems == [f"{NAME} holds other files than the lock pins for tiny-bert (standard)"]


def test_an_attestation_is_asked_for_and_believed(
    server: FaultyGitHub, gh: Callable[..., Path]
) -> None:
    asked = gh(0, "")
    problems, said = check(manifest())
    assert problems == []
    assert f"{NAME} was made by a workflow of {REPOSITORY}" in said
    command = json.loads(asked.read_text().splitlines()[-1])
    assert command[:2] == ["attestation", "verify"]
    assert Path(command[2]).name == NAME
    assert command[3:] == ["--repo", REPOSITORY]


def test_an_attestation_that_does_not_hold_is_a_problem(
    server: FaultyGitHub, gh: Callable[..., Path]
) -> None:
    gh(1, "Error: verifying with issuer failed")
    problems, _ = check(manifest())
    assert len(problems) == 1
    assert f"{NAME}: its attestation does not hold" in problems[0]
    assert "verifying with issuer failed" in problems[0]


@pytest.mark.parametrize(
    ("answer", "knows_attestations", "told"),
    [
        ("Error: HTTP 404: Not Found", True, f"{NAME} has no attestation"),
        ("unknown command", False, "that takes gh 2.49 or newer"),
    ],
)
def test_an_attestation_that_can_not_be_had_is_told_and_no_problem(
    server: FaultyGitHub, gh: Callable[..., Path], answer: str, knows_attestations: bool, told: str
) -> None:
    gh(1, answer, knows_attestations=knows_attestations)
    problems, said = check(manifest())
    assert problems == []
    assert told in said


def test_without_gh_the_rest_is_verified(
    server: FaultyGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    problems, said = check(manifest())
    assert problems == []
    assert "that takes gh, which is not installed" in said


def test_the_command_and_its_exit_codes(
    server: FaultyGitHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkout: Checkout = make_checkout(tmp_path / "checkout")
    command = ["verify", "--tag", TAG, "--checkout", str(checkout.root)]
    assert main([*command, "--wheel", str(make_wheel(tmp_path, manifest()))]) == 0
    assert capsys.readouterr().out.endswith(f"{TAG} is as it should be\n")
    server.faults.add(Fault(WrongBytes(), host="assets"))
    assert main(command) == 1
    assert f"{TAG} is not as it should be:" in capsys.readouterr().out
    assert main([*command, "--wheel", "x.whl", "--installed"]) == 2
    assert main([*command, "--wheel", str(tmp_path / "x.whl")]) == 2
    assert main([*command, "--installed"]) == 2
    assert "tiny-dist: is not installed in this Python" in capsys.readouterr().err


def test_the_installed_wheel_is_read_from_its_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(make_wheel(tmp_path, manifest())) as wheel:
        wheel.extractall(tmp_path / "site")
    record = tmp_path / "site" / "tiny_dist-1.0.0.dist-info" / "RECORD"
    record.write_text(f"{MANIFEST},,\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    pins = pins_of_installed("tiny-dist")
    assert (pins.version, pins.manifest) == ("1.0.0", manifest())
    record.write_text("")
    with pytest.raises(ModelBuildError, match="is it installed from a wheel"):
        pins_of_installed("tiny-dist")


@pytest.mark.parametrize("content", [b"no zip", zip_bytes({"x": b""})])
def test_what_is_no_wheel_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.whl").write_bytes(content)
    with pytest.raises(ModelBuildError, match="is no wheel that can be read"):
        pins_of_wheel(tmp_path / "x.whl")


def test_a_wheel_without_pins_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelBuildError, match="was built without the hook"):
        pins_of_wheel(make_wheel(tmp_path, None))
