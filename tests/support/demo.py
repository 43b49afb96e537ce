"""`make demo`: the main job on the real model, on this machine alone.

Makes the model, packs and serves a release as GitHub does, builds the wheel, installs it into two clean environments,
imports it in both, remembers this project's documents and history in one, and recalls from the other. Everything lies in `.demo/` and in the
checkout's caches; a second run reuses all but the shared directory and the project, which begin empty each time.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from rich.filesize import decimal

from release.assets import asset_name
from release.project import ASSETS, ROOT, read_project

DEMO = ROOT / ".demo"
HOME = DEMO / "home"
SHARED = DEMO / "shared"
PROJECT = DEMO / "project"
REQUESTS = DEMO / "requests.jsonl"
QUESTION = "Who decides which bytes of the model are trusted?"

_OF_THE_USER = re.compile(
    r"(HEIMDALL|HF|XDG)_.*|PYTHON.*|.*_CACHE_DIR|TRANSFORMERS_CACHE|GITHUB_TOKEN|(https?|all|no)_proxy",
    re.IGNORECASE,
)
"""Settings that would lead an environment's Python elsewhere."""
_IMPORT = "import heimdall"


class DemoError(Exception):
    """A step did something else than it should."""


@dataclass
class Report:
    """What is shown at the end: rows of a name, a value, and the seconds it took, if it took any.

    Attributes:
        current: the step under way, or the last one.
    """

    rows: list[tuple[str, str, str]] = field(default_factory=list)
    current: str = ""

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[list[str]]:
        """Time a step; what the block appends to the yielded list is its value."""
        click.echo(f"── {name}")
        self.current = name
        value: list[str] = []
        began = time.perf_counter()
        yield value
        self.rows.append((name, " ".join(value), f"{time.perf_counter() - began:.1f} s"))

    def show(self) -> None:
        """Print the table."""
        widths = [max(len(row[column]) for row in self.rows) for column in range(2)]
        rule = "─" * (sum(widths) + 14)
        click.echo(f"\n{rule}")
        for name, value, seconds in self.rows:
            click.echo(f"{name:<{widths[0]}}  {value:<{widths[1]}}  {seconds:>8}")
        click.echo(rule)


def main() -> int:
    """Run the demo and return its exit code: 0 when every step did what it should."""
    report = Report()
    shutil.rmtree(HOME, ignore_errors=True)
    shutil.rmtree(SHARED, ignore_errors=True)
    shutil.rmtree(PROJECT, ignore_errors=True)
    HOME.mkdir(parents=True)
    REQUESTS.unlink(missing_ok=True)
    try:
        wheel = _make(report)
        _use(report, wheel)
    except subprocess.CalledProcessError as error:
        step = report.current or "the first step"
        click.echo(
            f"demo: '{step}' failed: {error.cmd[0]} ended with exit code {error.returncode}",
            err=True,
        )
        return 1
    except DemoError as error:
        click.echo(f"demo: {error}", err=True)
        return 1
    report.show()
    return 0


def _make(report: Report) -> Path:
    with report.step("make the model from upstream's files") as value:
        _run(sys.executable, "-m", "release", "build")
        value.append("checked against upstream's sha256")
    with report.step("pack the release asset") as value:
        _run(sys.executable, "-m", "release", "pack")
        _run(sys.executable, "-m", "release", "lock", "--check")
        value.append(decimal(_asset().stat().st_size))
    with report.step("build the wheel") as value:
        shutil.rmtree(DEMO / "dist", ignore_errors=True)
        _run(sys.executable, "-m", "build", "--wheel", "--outdir", DEMO / "dist", ROOT)
        (wheel,) = (DEMO / "dist").glob("*.whl")
        value.append(f"{decimal(wheel.stat().st_size)}, no model inside")
    return wheel


def _use(report: Report, wheel: Path) -> None:
    environments = [DEMO / "environment-1", DEMO / "environment-2"]
    with report.step("install it into two environments"):
        for environment in environments:
            _install(environment, wheel)
    with _release_server() as url:
        variables = {"HEIMDALL_GITHUB_URL": url, "HEIMDALL_SOURCES": "github"}
        sent = []
        for number, environment in enumerate(environments, 1):
            with report.step(f"import heimdall in environment {number}") as value:
                before = _downloaded()
                _python(environment, "-c", _IMPORT, variables=variables)
                sent.append(_downloaded() - before)
                value.append(f"{decimal(sent[-1])} downloaded")
    _expect("bytes downloaded by each environment", sent, [_asset().stat().st_size, 0])
    weights = {path.stat().st_ino for path in SHARED.rglob("model.safetensors")}
    _expect("copies of the weights on disk", len(weights), 1)
    size = {path.stat().st_ino: path.stat().st_size for path in SHARED.rglob("*") if path.is_file()}
    report.rows.append(
        (
            "copies of the weights on disk",
            f"{len(weights)} ({decimal(sum(size.values()))} in all)",
            "",
        )
    )
    _remember_and_recall(report, *environments)


def _remember_and_recall(report: Report, one: Path, other: Path) -> None:
    """What the model is for: documents and history go in through one environment, an answer comes out of the other."""
    PROJECT.mkdir()
    for document in (ROOT / "README.md", ROOT / "CHANGELOG.md"):
        shutil.copy(document, PROJECT)
    shutil.copytree(ROOT / "docs", PROJECT / "docs")
    _heimdall(one, "project", "init", str(PROJECT))
    with report.step("remember this project's documents in environment 1") as value:
        loaded = _heimdall(one, "load", ".")
        value.append(f"{loaded['memories']['added']} memories of {len(loaded['loaded'])} files")
    if (ROOT / ".git").exists():  # an sdist has no history
        with report.step("remember this project's history in environment 1") as value:
            value.append(f"{_heimdall(one, 'git-load', str(ROOT))['memories']['added']} commits")
    with report.step("recall in environment 2") as value:
        answer = _heimdall(other, "recall", QUESTION, "--limit", "1")
        _expect("memories without a vector", answer["pending"], 0)
        _expect("how was searched", answer["mode"], "hybrid")
        (hit,) = answer["hits"]
        value.append(f"by words and meaning, best score {hit['score']:.2f}")
    memory = hit["memory"]
    click.echo(f"\nQuestion: {QUESTION}\nAnswer, from {memory['source']}:\n\n{memory['text']}")


def _heimdall(environment: Path, *arguments: str) -> Any:
    """Run an environment's `heimdall` on the demo's project, without a network, and return what it reports."""
    return json.loads(
        _python(
            environment,
            "-m",
            "heimdall",
            *arguments,
            "--json",
            directory=PROJECT,
            variables={"HEIMDALL_OFFLINE": "1"},
        )
    )


def _asset() -> Path:
    tag = read_project().tag
    return ASSETS / tag / asset_name(tag)


def _expect(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise DemoError(f"{what}: expected {expected}, found {found}")


def _install(environment: Path, wheel: Path) -> None:
    python = _python_of(environment)
    if not python.exists():
        venv.create(environment, with_pip=True, clear=True)
    _run(python, "-m", "pip", "install", "-qq", wheel)
    # A wheel of the same version is not installed again by itself, although the tree may have changed.
    _run(python, "-m", "pip", "install", "-qq", "--force-reinstall", "--no-deps", wheel)


@contextlib.contextmanager
def _release_server() -> Iterator[str]:
    """A release server that behaves as GitHub does, on loopback; yields its base URL."""
    command = [
        sys.executable,
        "-m",
        "release",
        "serve",
        "--directory",
        str(ASSETS),
        "--log",
        str(REQUESTS),
    ]
    with (
        (DEMO / "server.log").open("w", encoding="utf-8") as log,
        subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, encoding="utf-8"
        ) as server,
    ):
        try:
            assert server.stdout is not None
            url = server.stdout.readline().strip().partition("=")[2]
            if not url:
                raise DemoError(f"the release server did not start; see {log.name}")
            yield url
        finally:
            server.terminate()


def _downloaded() -> int:
    """Bytes that the release server has sent so far."""
    if not REQUESTS.exists():
        return 0
    return sum(
        json.loads(line)["sent"] for line in REQUESTS.read_text(encoding="utf-8").splitlines()
    )


def _python(
    environment: Path, *arguments: object, directory: Path = HOME, variables: Mapping[str, str]
) -> str:
    """Run an environment's Python away from the checkout, with a HOME and shared directory of the demo's own."""
    inherited = {
        name: value for name, value in os.environ.items() if not _OF_THE_USER.fullmatch(name)
    }
    own = {"HOME": str(HOME), "HEIMDALL_DATA_DIR": str(SHARED)}
    command = [str(_python_of(environment)), *map(str, arguments)]
    finished = subprocess.run(
        command,
        check=True,
        cwd=directory,
        env={**inherited, **own, **variables},
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    return finished.stdout


def _python_of(environment: Path) -> Path:
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _run(*command: object) -> None:
    environment = {**os.environ, "PIP_CACHE_DIR": str(ROOT / ".cache" / "pip")}
    subprocess.run([str(part) for part in command], check=True, cwd=ROOT, env=environment)


if __name__ == "__main__":
    sys.exit(main())
