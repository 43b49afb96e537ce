"""A whole release in small: built, packed, locked, published with gh, verified, and fetched by heimdall itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hatch_heimdall_models.manifest import Manifest
from release.__main__ import main
from release.project import ROOT
from tests.support.github_cli import writable_github
from tests.support.release_bench import Bench
from tests.support.release_checkout import REPOSITORY, TAG, commit, make_checkout

pytestmark = pytest.mark.slow

_FETCH = """
import sys
from heimdall.models import locations
locations.PACKAGE_DIRECTORY = sys.argv[1]
from heimdall.models.resolver import resolve_in_detail
resolution = resolve_in_detail()
print(resolution.directory, *resolution.sources)
"""


def test_what_is_published_is_what_heimdall_fetches(
    bench: Bench,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    checkout = make_checkout(tmp_path / "checkout")
    shutil.rmtree(checkout.assets_dir(TAG))
    packed = bench.pack(TAG)
    shutil.copytree(packed.path.parent, checkout.assets_dir(TAG))
    lock: Manifest = bench.lock(TAG)
    pins = Manifest(lock.distribution, REPOSITORY, lock.default, lock.models)
    (checkout.root / "models.lock.json").write_text(pins.dumps(), encoding="utf-8")
    commit(checkout.root)
    where = ["--tag", TAG, "--checkout", str(checkout.root)]
    with writable_github(tmp_path, monkeypatch, repository=REPOSITORY, immutable=True) as (
        server,
        _,
    ):
        assert main(["publish", *where]) == 0, capsys.readouterr().err
        assert main(["verify", *where]) == 0, capsys.readouterr().out
        server.requests.clear()
        package = tmp_path / "package" / "heimdall"
        package.mkdir(parents=True)
        (package / "model_manifest.json").write_text(pins.dumps(), encoding="utf-8")
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GH_")},
            "HEIMDALL_GITHUB_URL": server.url,
            "HEIMDALL_SOURCES": "github",
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, "-c", _FETCH, str(package)]
        done = subprocess.run(
            command, env=environment, capture_output=True, encoding="utf-8", check=True
        )
        directory, *sources = done.stdout.split()
        assert sources == ["github"]
        assert [record.status for record in server.requests.settled()] == [302, 200]
    fetched = {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in Path(directory).rglob("*.*")
    }
    assert fetched.items() >= bench.content().items()
