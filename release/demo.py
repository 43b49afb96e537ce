"""`make demo`: the main job on the real model, on this machine alone.

Makes the model, packs and serves a release as GitHub does, builds the wheel, installs it into two clean environments,
imports it in both, and embeds sentences of this project's own documents. Everything lies in `.demo/` and in the
checkout's caches; a second run reuses all but the shared directory, which begins empty each time.
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
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click

from release.project import ASSETS, ROOT, asset_name, read_project

DEMO = ROOT / ".demo"
HOME = DEMO / "home"
SHARED = DEMO / "shared"
REQUESTS = DEMO / "requests.jsonl"
QUESTION = "Is the model downloaded again for every virtual environment?"

_OF_THE_USER = re.compile(
    r"(HEIMDALL|HF|XDG)_.*|PYTHON.*|.*_CACHE_DIR|TRANSFORMERS_CACHE|GITHUB_TOKEN|(https?|all|no)_proxy", re.IGNORECASE
)
"""Settings that would lead an environment's Python elsewhere."""
_IMPORT = "import heimdall"
_RECALL = """
import pathlib, re, sys, time
from cognitive_memory.encoding import ONNXEmbeddingProvider

text = "\\n\\n".join(pathlib.Path(path).read_text(encoding="utf-8") for path in sys.argv[2:])
text = re.sub(r"```.*?```|`|\\*\\*|<!--.*?-->", lambda match: "" if len(match[0]) > 2 else match[0].strip("`*"), text, flags=re.S)
paragraphs = (" ".join(part.split()) for part in re.split(r"\\n\\s*\\n|\\n(?=[-#|])", text))
sentences = [part for part in paragraphs if len(part.split()) >= 8 and not part.startswith(("|", "#"))]
began = time.perf_counter()
provider = ONNXEmbeddingProvider()
question = provider.encode(sys.argv[1])
loaded = time.perf_counter() - began
scores = provider.encode_batch(sentences) @ question
print(len(sentences), f"{loaded:.2f}", f"{scores.max():.2f}", sentences[int(scores.argmax())], sep="\\t")
"""


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
    HOME.mkdir(parents=True)
    REQUESTS.unlink(missing_ok=True)
    try:
        wheel = _make(report)
        _use(report, wheel)
    except subprocess.CalledProcessError as error:
        step = report.current or "the first step"
        click.echo(f"demo: '{step}' failed: {error.cmd[0]} ended with exit code {error.returncode}", err=True)
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
        value.append(f"{_asset().stat().st_size / 1e6:.1f} MB")
    with report.step("build the wheel") as value:
        shutil.rmtree(DEMO / "dist", ignore_errors=True)
        _run(sys.executable, "-m", "build", "--wheel", "--outdir", DEMO / "dist", ROOT)
        (wheel,) = (DEMO / "dist").glob("*.whl")
        value.append(f"{wheel.stat().st_size / 1e3:.1f} kB, no model inside")
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
                _python(environment, "-c", _IMPORT, **variables)
                sent.append(_downloaded() - before)
                value.append(f"{sent[-1] / 1e6:.1f} MB downloaded")
    _expect("bytes downloaded by each environment", sent, [_asset().stat().st_size, 0])
    weights = {path.stat().st_ino for path in SHARED.rglob("model.safetensors")}
    _expect("copies of the weights on disk", len(weights), 1)
    size = {path.stat().st_ino: path.stat().st_size for path in SHARED.rglob("*") if path.is_file()}
    report.rows.append(
        ("copies of the weights on disk", f"{len(weights)} ({sum(size.values()) / 1e6:.1f} MB in all)", "")
    )
    with report.step("embed this project's documents in environment 2") as value:
        documents = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
        printed = _python(environments[1], "-c", _RECALL, QUESTION, *documents, HEIMDALL_OFFLINE="1")
        count, seconds, score, nearest = printed.strip().split("\t")
        value.append(f"{count} passages, first vector after {seconds} s")
    click.echo(f"\nQuestion: {QUESTION}\nNearest ({score}): {nearest.lstrip('- ')}")


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
    _run(python, "-m", "pip", "install", "-qq", "--force-reinstall", "--no-deps", wheel)


@contextlib.contextmanager
def _release_server() -> Iterator[str]:
    """A release server that behaves as GitHub does, on loopback; yields its base URL."""
    command = [sys.executable, "-m", "release", "serve", "--directory", str(ASSETS), "--log", str(REQUESTS)]
    with (
        (DEMO / "server.log").open("w", encoding="utf-8") as log,
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True) as server,
    ):
        try:
            assert server.stdout is not None  # noqa: S101 (it was asked for)
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
    return sum(json.loads(line)["sent"] for line in REQUESTS.read_text(encoding="utf-8").splitlines())


def _python(environment: Path, *arguments: object, **variables: str) -> str:
    """Run an environment's Python away from the checkout, with a HOME and shared directory of the demo's own."""
    inherited = {name: value for name, value in os.environ.items() if not _OF_THE_USER.fullmatch(name)}
    own = {"HOME": str(HOME), "HEIMDALL_DATA_DIR": str(SHARED)}
    command = [str(_python_of(environment)), *map(str, arguments)]
    finished = subprocess.run(
        command, check=True, cwd=HOME, env={**inherited, **own, **variables}, stdout=subprocess.PIPE, text=True
    )
    return finished.stdout


def _python_of(environment: Path) -> Path:
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _run(*command: object) -> None:
    environment = {**os.environ, "PIP_CACHE_DIR": str(ROOT / ".cache" / "pip")}
    subprocess.run([str(part) for part in command], check=True, cwd=ROOT, env=environment)


if __name__ == "__main__":
    sys.exit(main())
