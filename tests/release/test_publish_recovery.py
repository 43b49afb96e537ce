"""`publish` after a failure at each of its requests in turn: the same command goes on and finishes, and nothing is ever
public that was not compared, nothing replaced.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from hatch_heimdall_models.errors import ModelBuildError
from release.assets import SUMS_NAME
from release.checkout import Checkout
from release.project import ROOT
from release.publish import publish
from tests.support.faults import (
    CutAfter,
    CutUpload,
    Delay,
    Drop,
    Effect,
    Fault,
    FaultyGitHub,
    Instead,
    Unheard,
)
from tests.support.github_cli import writable_github
from tests.support.github_releases import Releases
from tests.support.release_checkout import CONTENT, NAME, REPOSITORY, SUMS, TAG, make_checkout
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

METHODS = ("GET", "POST", "PATCH", "DELETE")
CHANGES = ("POST", "PATCH", "DELETE")
CHANGING_PATHS = (
    "*/releases",  # the draft
    "/api/uploads/*",
    "*/releases/[0-9]*",  # publishing
)
LONG = 600.0
"""Seconds; whoever waits for such an answer is killed before."""


class Site:
    def __init__(
        self, checkout: Checkout, server: FaultyGitHub, releases: Releases, published: Path
    ) -> None:
        self.checkout, self.server, self.releases, self.published = (
            checkout,
            server,
            releases,
            published,
        )

    def try_to_publish(self) -> bool:
        """Whether it went well; what was published is right in either case."""
        try:
            publish(self.checkout, TAG, lambda _: None)
        except ModelBuildError:
            went_well = False
        else:
            went_well = True
        self.require_nothing_wrong()
        return went_well

    def require_nothing_wrong(self) -> None:
        """What everybody can see is the whole release, or nothing."""
        files = {path.name: path.read_bytes() for path in self.published.glob(f"{TAG}/*")}
        assert files in ({}, {NAME: CONTENT, SUMS_NAME: SUMS})

    def state(self) -> object:
        """All that GitHub has, but for what differs from site to site."""
        return [dataclasses.asdict(release) for release in self.releases.all()]

    def require_complete(self) -> None:
        (release,) = self.releases.all()
        assert not release.draft
        assert sorted(asset.name for asset in release.assets.values()) == sorted([NAME, SUMS_NAME])
        assert len(list(self.published.glob(f"{TAG}/*"))) == 2
        self.require_nothing_wrong()


@pytest.fixture
def sites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Iterator[Site]]:
    """New ones without end, all of one checkout, each when the one before it is done with."""
    checkout = make_checkout(tmp_path / "checkout")
    monkeypatch.setattr("release.public._WAITS", (0.0,))

    def make() -> Generator[Site]:
        for number in range(1000):
            folder = tmp_path / str(number)
            folder.mkdir()
            with writable_github(folder, monkeypatch, repository=REPOSITORY, immutable=True) as (
                server,
                releases,
            ):
                yield Site(checkout, server, releases, folder / "published")

    sites = make()
    yield sites
    sites.close()


@pytest.mark.parametrize(
    ("effects", "methods", "path"),
    [
        pytest.param(
            (Unheard(), Drop()), METHODS, "*", id="the connection drops before the request is heard"
        ),
        pytest.param(
            (Drop(reset=True),), CHANGES, "*", id="the connection is reset when it is done"
        ),
        pytest.param((Unheard(),), CHANGES, "/api/uploads/*", id="uploads are unavailable"),
        pytest.param(
            (Instead(502, b"<html>"),),
            CHANGES,
            "/api/uploads/*",
            id="its answer is lost in a gateway",
        ),
        pytest.param((CutUpload(20),), CHANGES, "/api/uploads/*", id="an upload breaks off"),
        pytest.param((CutAfter(20),), ("GET",), "*asset*/*", id="a download breaks off"),
    ],
)
def test_after_a_failure_at_any_request_the_same_command_finishes(
    sites: Iterator[Site], effects: tuple[Effect, ...], methods: tuple[str, ...], path: str
) -> None:
    left_behind: list[object] = []
    for turn, site in enumerate(sites, 1):
        site.server.faults.add(Fault(*effects, methods=methods, path=path, turns={turn}))
        failed = not site.try_to_publish()
        asked = [record for record in site.server.requests.settled() if record.method in methods]
        asked = [record for record in asked if fnmatchcase(record.path, path)]
        site.server.faults.clear()
        if len(asked) < turn:
            assert not failed
            break
        # What comes after a failure depends on what it left behind alone.
        if failed and (state := site.state()) not in left_behind:
            left_behind.append(state)
            assert site.try_to_publish()
        elif failed:
            continue
        site.require_complete()
    assert turn > 1


@pytest.mark.parametrize("heard", [True, False], ids=["when it is done", "before it is done"])
@pytest.mark.parametrize("path", CHANGING_PATHS)
def test_killed_while_something_changes_the_same_command_finishes(
    sites: Iterator[Site], path: str, heard: bool
) -> None:
    site = next(sites)
    effects = (Delay(LONG),) if heard else (Unheard(), Delay(LONG))
    site.server.faults.add(Fault(*effects, methods=CHANGES, path=path, turns={1}))
    command = [
        sys.executable,
        "-m",
        "release",
        "publish",
        "--tag",
        TAG,
        "--checkout",
        str(site.checkout.root),
    ]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        wait_until(
            lambda: any(it.method in CHANGES for it in site.server.requests.pending()), process
        )
        os.killpg(process.pid, signal.SIGKILL)
    site.server.faults.clear()
    site.require_nothing_wrong()
    assert site.try_to_publish()
    site.require_complete()
