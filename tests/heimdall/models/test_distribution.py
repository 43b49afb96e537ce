"""heimdall-models: the resolver as a distribution of its own, installed alone beside packages that pin models."""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.front_ends import BOTH, run, wheel_names
from tests.support.installed_package import lay_out_package
from tests.support.places import DATA
from tests.support.pythons import find_python
from tests.support.resolver_alone import ResolverAlone
from tests.support.small_model import ROOT, SmallModel
from tests.support.wheelhouse import wheelhouse_environment

pytestmark = pytest.mark.installs

SOURCE = ROOT / "heimdall" / "models"
OF_HEIMDALL_ALONE = {"first_import.py", "quiet_fetch.py"}


@dataclass(frozen=True)
class Environment(ResolverAlone):
    """With two packages that pin models, `red` and `blue`."""

    red: SmallModel
    blue: SmallModel

    @property
    def models(self) -> Path:
        return self.folder / "home" / DATA / "models"

    @property
    def site(self) -> Path:
        (site,) = self.folder.glob("venv/lib/python*/site-packages")
        return site


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built through its sdist, from a copy of the sources."""
    folder = tmp_path_factory.mktemp("distribution")
    ignored = shutil.ignore_patterns("__pycache__")
    copy = shutil.copytree(SOURCE, folder / "models", ignore=ignored)
    run(*BOTH["build without isolation"], folder / "dist", cwd=Path(copy))
    (wheel,) = (folder / "dist").glob("*.whl")
    return wheel


@pytest.fixture(scope="module", params=["3.10", "3.11"])
def python(request: pytest.FixtureRequest) -> Path:
    return find_python(request.param)


@pytest.fixture(scope="module")
def installed(wheel: Path, python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel and what it needs."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([python, "-m", "venv", folder / "venv"], check=True)
    command: list[str | Path] = [
        folder / "venv" / "bin" / "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        wheel,
    ]
    subprocess.run(command, check=True, env=wheelhouse_environment())
    return folder


@pytest.fixture
def environment(installed: Path, tmp_path: Path) -> Environment:
    red = SmallModel(tmp_path / "red", name="red")
    blue = SmallModel(tmp_path / "blue", {**red.files, "net.onnx": b"blue"}, name="blue", tag="v2")
    environment = Environment(installed, f"{red.mirror},{blue.mirror}", red, blue)
    shutil.rmtree(installed / "home", ignore_errors=True)
    for package, model in {"red": red, "blue": blue}.items():
        lay_out_package(environment.site, package, model)
    return environment


def test_the_wheel_is_small_and_has_the_sources_under_their_other_name(wheel: Path) -> None:
    assert wheel.stat().st_size < 160_000
    sources = {
        f"heimdall_models/{path.relative_to(SOURCE).as_posix()}"
        for path in [*SOURCE.rglob("*.py"), SOURCE / "py.typed", SOURCE / "secrets.ini"]
        if path.name not in OF_HEIMDALL_ALONE
    }
    names = {name for name in wheel_names(wheel) if ".dist-info/" not in name}
    assert names == sources
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        text = archive.read(metadata).decode()
    requirements = {
        line.partition(":")[2].strip() for line in text.splitlines() if "Requires-Dist" in line
    }
    on_macos = "truststore>=0.10; sys_platform == 'darwin'"
    needed = {"packaging>=24", "platformdirs<5,>=4.2", on_macos, "urllib3<3,>=2.2"}
    assert requirements == {*needed, "sigstore<5,>=4; extra == 'provenance'"}
    assert any(name.endswith("/licenses/LICENSE") for name in wheel_names(wheel))


def test_what_is_installed_is_little(environment: Environment) -> None:
    ours = ("heimdall_models", "packaging", "platformdirs", "urllib3")
    files = [
        path
        for folder in environment.site.iterdir()
        if folder.name.startswith(ours)
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    assert sum(path.stat().st_size for path in files) < 3_000_000


def test_an_import_does_nothing(environment: Environment) -> None:
    code = """
import os, sys
variables, modules = dict(os.environ), set(sys.modules)
events = []
sys.addaudithook(lambda event, arguments: events.append(event))
import heimdall_models
heavy = {"urllib3", "packaging", "platformdirs", "heimdall"} & (set(sys.modules) - modules)
print(variables == dict(os.environ), heavy, [event for event in events if event.startswith(("socket.", "subprocess."))])
print(sorted(heimdall_models.__all__))
"""
    done = environment.run("python", "-c", code)
    printed, names = done.stdout.splitlines()
    assert (done.stderr, printed) == ("", "True set() []")
    assert {"ensure", "ModelError", "ModelUnavailable"} <= set(json.loads(names.replace("'", '"')))
    assert not (environment.folder / "home").exists()


def test_ensure_fetches_once_and_shares_what_is_the_same(environment: Environment) -> None:
    first = environment.ensure("red")
    assert first.returncode == 0, first.stderr
    assert first.stderr.startswith("heimdall-models: red (standard) is ready, from mirror, ")
    environment.red.assert_tree(Path(first.stdout.strip()))
    again = environment.ensure("red", HEIMDALL_OFFLINE="1")
    assert (again.stdout, again.stderr) == (first.stdout, "")
    second = environment.ensure("blue")
    assert second.returncode == 0, second.stderr
    environment.blue.assert_tree(Path(second.stdout.strip()))
    assert [path.name for path in environment.models.iterdir()] == [".store"]
    blobs = list((environment.models / ".store" / "blobs").iterdir())
    assert len(blobs) == len(environment.red.files) + 1
    name = "model.safetensors"
    assert Path(first.stdout.strip(), name).samefile(Path(second.stdout.strip(), name))


def test_no_message_tells_of_heimdalls_own_model(environment: Environment) -> None:
    done = environment.ensure("red", HEIMDALL_OFFLINE="1", HEIMDALL_SOURCES="github")
    assert done.returncode == 1
    assert "run 'heimdall-models pull red'" in done.stderr
    for other in ("MiniLM", "heimdall-mcp", "heimdall models"):
        assert other not in done.stderr
    code = "import heimdall_models; heimdall_models.ensure('red'); import sys; print('heimdall' in sys.modules)"
    assert environment.run("python", "-c", code).stdout == "False\n"


def test_the_life_of_a_model_on_the_command_line(environment: Environment) -> None:
    before = environment.command("status", "red")
    assert before.returncode == 1
    assert "state   not here; 'heimdall-models pull red' fetches it" in before.stdout
    absent = environment.command("path", "red")
    assert (absent.returncode, absent.stdout) == (1, "")
    assert "red (standard) is not here; 'heimdall-models pull red' fetches it" in absent.stderr
    pulled = environment.command("pull", "red", "--json")
    assert pulled.returncode == 0, pulled.stderr
    document = json.loads(pulled.stdout)
    directory = Path(document.pop("directory"))
    assert document == {"model": "red", "variant": "standard", "sources": ["mirror"]}
    environment.red.assert_tree(directory)
    assert environment.command("path", "red").stdout == f"{directory}\n"
    status = json.loads(environment.command("status", "red", "--json").stdout)
    assert (status["complete"], status["verified"], status["tier"]) == (True, True, "shared")
    assert environment.command("verify", "red").stdout.endswith("every file matches its pin\n")
    unchecked = environment.command("verify", "--provenance", "red")
    assert (unchecked.returncode, unchecked.stdout) == (2, "")
    assert "pip install 'heimdall-models[provenance]'" in unchecked.stderr
    (directory / "model.safetensors").write_bytes(b"rot")
    bad = environment.command("verify", "red")
    assert bad.returncode == 1
    assert "'heimdall-models verify --repair red' fetches anew what is bad" in bad.stdout
    assert environment.command("verify", "--repair", "red").returncode == 0
    environment.red.assert_tree(directory)


def test_a_model_is_carried_to_another_machine(environment: Environment) -> None:
    environment.command("pull", "red")
    file = environment.folder / "red.zip"
    file.unlink(missing_ok=True)
    exported = environment.command("export", str(file), "red")
    assert exported.returncode == 0, exported.stderr
    assert f"in {file}; 'heimdall-models import {file} red' takes it" in exported.stdout
    elsewhere = {"MODEL_CACHE_DIR": str(environment.folder / "home" / "elsewhere")}
    taken = environment.command("import", str(file), "red", HEIMDALL_OFFLINE="1", **elsewhere)
    assert (taken.returncode, f"taken from {file}, verified" in taken.stdout) == (0, True)


def test_prune_keeps_what_an_environment_uses(environment: Environment) -> None:
    for package in ("red", "blue"):
        environment.command("pull", package)
    kept = json.loads(environment.command("prune", "--json").stdout)
    assert kept["freed"] == 0
    shutil.rmtree(environment.site / "blue")
    assert environment.command("prune").returncode == 0
    sets = [path.name for path in (environment.models / ".store" / "sets").iterdir()]
    assert [name.partition("-")[0] for name in sets] == ["red"]
    environment.red.assert_tree(Path(environment.command("path", "red").stdout.strip()))


def test_the_package_may_be_left_out_where_there_is_one(environment: Environment) -> None:
    several = environment.command("status")
    assert several.returncode == 2
    assert "name the package whose model is meant: one of blue, red" in several.stderr
    for path in (environment.site / "blue", environment.site / "blue-1.0.dist-info"):
        shutil.rmtree(path)
    assert "model   red (standard)" in environment.command("status").stdout


def test_python_m_is_the_same_command(environment: Environment) -> None:
    done = environment.run("python", "-m", "heimdall_models", "status", "red", "--json")
    assert (done.returncode, json.loads(done.stdout)["model"]) == (1, "red")
    assert "PACKAGE" in environment.run("python", "-m", "heimdall_models", "pull", "--help").stdout
