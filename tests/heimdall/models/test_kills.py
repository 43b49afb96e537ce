"""`kill -9` at any moment: the next process succeeds, and no reader ever sees a wrong byte."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import tests.support
from tests.support.capabilities import needs_fork
from tests.support.faults import Drip, Fault
from tests.support.places import DATA
from tests.support.servers import plain_mirror
from tests.support.small_model import Installation, SmallModel, from_mirror, noise

KILLS = int(os.environ.get("KILLS", "100"))
LOOP = str(Path(tests.support.__path__[0]) / "kill_loop.py")
LEFT_BEHIND = re.compile(r"[0-9a-f]{64}\..*\.(tmp|part)")
"""What killed processes may leave, in the folder of unfinished downloads alone: for the next one, or for `prune`."""

pytestmark = [pytest.mark.kills, needs_fork]


@pytest.fixture
def small(tmp_path: Path) -> SmallModel:
    return SmallModel(
        tmp_path / "release",
        {"net.onnx": b"graph", "a.bin": noise(150_000), "b/c.bin": noise(70_000, 1)},
    )


@contextlib.contextmanager
def reader(installation: Installation) -> Iterator[None]:
    """Somebody who looks at every visible byte all the time."""
    command = [sys.executable, LOOP, "read"]
    process = subprocess.Popen(
        command,
        env=installation.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    yield
    said, _ = process.communicate("stop\n", timeout=900)
    assert process.returncode == 0, said
    assert int(said) > 10


def check_what_is_left(home: Path) -> None:
    store = home / DATA / "models/.store"
    assert not [
        path for path in (store / "partial").iterdir() if not LEFT_BEHIND.fullmatch(path.name)
    ]
    assert not list((store / "blobs").glob("*.tmp"))


def test_kills_at_any_moment(installation: Installation, small: SmallModel, home: Path) -> None:
    with (
        plain_mirror(small.directory, faults=[Fault(Drip(1_500_000))]) as server,
        reader(installation),
    ):
        done = installation.run(
            LOOP,
            "kill",
            str(KILLS),
            MIRRORS=f"{server.url} {small.mirror}",
            HEIMDALL_SOURCES="mirror",
            HEIMDALL_PROGRESS="0",
        )
        assert done.returncode == 0, done.stdout + done.stderr
    downloading, unpacking = json.loads(done.stdout)
    assert (downloading, unpacking) == (KILLS - KILLS // 2, KILLS // 2)
    check_what_is_left(home)


def test_killed_commands(installation: Installation, small: SmallModel, home: Path) -> None:
    """The same with the real command, from its very start."""
    models = home / DATA / "models"
    killed = 0
    with (
        plain_mirror(small.directory, faults=[Fault(Drip(1_500_000))]) as server,
        reader(installation),
    ):
        variables = from_mirror(server.url)
        while killed < 3:
            process = installation.start("-m", "heimdall", "models", "pull", **variables)
            time.sleep(random.uniform(0.1, 0.8))
            process.kill()
            process.communicate()
            killed += process.returncode < 0
            done = installation.heimdall("models", "pull", **variables)
            assert done.returncode == 0, done.stderr
            small.assert_tree(Path(done.stdout.splitlines()[1]))
            for path in (
                *models.glob(".store/sets/*/receipt.json"),
                *models.glob(".store/sets/*/models/a.bin"),
            ):
                path.unlink()
            (models / "a.bin").unlink()
            (models / ".store/blobs" / small.manifest.models[0].files[1].sha256).unlink()
    check_what_is_left(home)
