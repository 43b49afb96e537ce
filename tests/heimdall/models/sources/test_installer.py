from __future__ import annotations

import importlib.metadata
import os
import sys
from pathlib import Path

import pytest

from heimdall.models.errors import SourceError
from heimdall.models.sources import installer
from heimdall.models.sources.installer import (
    failure,
    find_installer,
    installer_environment,
    is_plain_python,
)


@pytest.mark.parametrize(
    "name",
    [
        "/usr/bin/python3",
        "/usr/bin/python3.11",
        "/x/bin/python",
        "/x/bin/python3.13t",
        "/x/bin/python3-dbg",
        "/x/Python.app/Contents/MacOS/Python",
        "/x/bin/pypy3.10",
        "python.exe",
        "pythonw.exe",
        "python_d.exe",
    ],
)
def test_a_plain_python(name: str) -> None:
    assert is_plain_python(name, frozen=False)
    assert not is_plain_python(name, frozen=True)


@pytest.mark.parametrize(
    "name",
    ["", "/opt/app/heimdall", "blender", "FreeCAD.exe", "uwsgi", "httpd.exe", "pythonista", "gdb"],
)
def test_a_program_that_would_start_itself(name: str) -> None:
    assert not is_plain_python(name, frozen=False)


def without_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", version)


def test_pip_of_this_environment_comes_first() -> None:
    found = find_installer()
    assert found.name == "pip"
    assert found.command[0] == sys.executable


@pytest.mark.parametrize(("version", "progress"), [("24.1", "raw"), ("23.0.1", "off")])
def test_raw_progress_is_asked_of_those_that_know_it(
    monkeypatch: pytest.MonkeyPatch, version: str, progress: str
) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda _: version)
    assert f"--progress-bar={progress}" in find_installer().command


def test_uv_comes_next_wherever_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: Path
) -> None:
    without_pip(monkeypatch)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    name = "uv.exe" if os.name == "nt" else "uv"
    places = [home / ".local/bin", tmp_path / "on-path", tmp_path / "named"]
    monkeypatch.setenv("PATH", f".{os.pathsep}{places[1]}")
    for place in (Path(), *places):
        place.mkdir(parents=True, exist_ok=True)
        (place / name).touch(mode=0o755)
        if place == places[2]:
            monkeypatch.setenv("UV", str(place / name))
        if place != Path():
            assert find_installer().command[0] == str(place / name)


def test_the_bundled_pip_is_the_last_resort(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    without_pip(monkeypatch)
    monkeypatch.setattr(installer, "_uvs", lambda: iter(()))
    (tmp_path / "pip-23.0.1-py3-none-any.whl").touch()
    bundled = tmp_path / "pip-24.2-py3-none-any.whl"
    monkeypatch.setattr(installer, "_bundled_pips", lambda: iter([*tmp_path.glob("*"), bundled]))
    assert find_installer().command[:2] == (sys.executable, str(bundled / "pip"))


def test_without_any_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    without_pip(monkeypatch)
    monkeypatch.setattr(installer, "_uvs", lambda: iter(()))
    monkeypatch.setattr(installer, "_bundled_pips", lambda: iter(()))
    with pytest.raises(SourceError, match="neither pip nor uv is in reach"):
        find_installer()


def test_a_frozen_program_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    with pytest.raises(SourceError, match="no plain Python"):
        find_installer()


def test_the_users_settings_hold_but_for_what_would_hinder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://pip.example/simple")
    monkeypatch.setenv("PIP_RETRIES", "7")
    monkeypatch.setenv("PIP_REQUIRE_VIRTUALENV", "1")
    environment = installer_environment(tmp_path)
    assert environment["PIP_INDEX_URL"] == "https://pip.example/simple"
    assert environment["PIP_RETRIES"] == "7"
    assert environment["UV_HTTP_RETRIES"] == "0"
    assert environment["PIP_REQUIRE_VIRTUALENV"] == "0"
    assert environment["TMPDIR"] == str(tmp_path)
    assert environment["PATH"] == os.environ["PATH"]


FAILED_REQUEST = """\
Looking in indexes: http://me:****@127.0.0.1:9/simple
  Could not fetch URL http://127.0.0.1:9/simple/x/: connection error: [Errno 111] Connection refused - skipping
ERROR: Could not find a version that satisfies the requirement x==1.0 (from versions: none)
ERROR: No matching distribution found for x==1.0
Traceback (most recent call last):
DistributionNotFound: No matching distribution found for x==1.0
"""


def test_the_reason_comes_before_its_consequence() -> None:
    error = failure("pip", FAILED_REQUEST)
    assert error.reason.startswith("pip: Could not fetch URL http://127.0.0.1:9/simple/x/: ")
    assert "No matching" not in error.reason
    assert error.transient
    assert error.unreachable


@pytest.mark.parametrize(
    ("output", "reason", "transient"),
    [
        (
            "ERROR: No matching distribution found\nnoise\n",
            "ERROR: No matching distribution",
            False,
        ),
        (
            "  \N{MULTIPLICATION SIGN} No solution found:\n  ╰─▶ Because x",
            "No solution found:; Because x",
            False,
        ),
        ("Could not fetch URL u: 503 Server Error - skipping", "503", True),
        ("Could not fetch URL u: 404 Client Error - skipping", "404", False),
        ("User for pip.example: ERROR: Exception:\n\nEOFError: EOF", "pip.example asks for", False),
        ("", "failed and said nothing", False),
    ],
)
def test_what_installers_say(output: str, reason: str, transient: bool) -> None:
    error = failure("it", output)
    assert reason in error.reason
    assert error.transient is transient


def test_secrets_in_what_it_says_are_hidden() -> None:
    error = failure("uv", "error: Failed to fetch: https://me:hunter2@uv.example/simple/?t=hunter2")
    assert "uv.example/simple/" in error.reason
    assert "hunter2" not in error.reason
