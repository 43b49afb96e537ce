"""A container that is killed and started again, with the store on a volume: the model arrives all the same."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import pytest

from tests.support.faults import Drip, Fault
from tests.support.places import DATA
from tests.support.servers import plain_mirror
from tests.support.small_model import Installation, SmallModel, from_mirror

pytestmark = pytest.mark.slow

RESTARTS = 5


@pytest.fixture
def container() -> list[str]:
    """A command that runs another one as process 1 of a namespace of its own, under the name that comes first."""
    kinds = ["--pid", "--fork", "--kill-child", "--mount-proc", "--uts"]
    command = ["unshare", *kinds, "sh", "-c", 'hostname "$1" && shift && exec "$@"', "sh"]
    if not shutil.which("unshare"):
        pytest.skip("needs unshare (util-linux)")
    probe = subprocess.run([*command, "probe", "true"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip(f"namespaces are refused here: {probe.stderr.decode().strip()}")
    return command


def names(*, anew: bool) -> Iterator[str]:
    return (f"pod-{number}" for number in range(100)) if anew else repeat("app")


@pytest.mark.parametrize("anew", [False, True], ids=["same name", "new name at each start"])
def test_a_container_that_is_killed_again_and_again(
    container: list[str], installation: Installation, small: SmallModel, home: Path, *, anew: bool
) -> None:
    partial = home / DATA / "models/.store/partial"
    size = small.asset_path.stat().st_size
    hostnames = names(anew=anew)
    with plain_mirror(small.directory, faults=[Fault(Drip(150_000))]) as server:
        variables = from_mirror(server.url)
        command = [sys.executable, "-m", "heimdall", "models", "pull"]
        environment = installation.environment(**variables)
        reached = fetched = 0
        for _ in range(RESTARTS):
            process = subprocess.Popen(
                [*container, next(hostnames), *command],
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            until = min(reached + size // (RESTARTS + 2), size - 1)
            while process.poll() is None and (now := longest(partial)) <= until:
                assert len(list(partial.glob("*.part"))) <= 2, "one in use, one to spare"
                time.sleep(0.01)
            process.kill()
            process.wait()
            time.sleep(0.05)
            now = longest(partial)
            fetched += now - reached
            assert now > reached
            reached = now
        server.faults.clear()
        done = subprocess.run(
            [*container, next(hostnames), *command],
            env=environment,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, done.stderr
        begun = [int((it.range or "bytes=0-")[6:-1]) for it in server.requests.found()]
    small.assert_tree(Path(done.stdout.splitlines()[1]))
    assert begun == sorted(begun)
    assert len(begun) == RESTARTS + 1
    assert len(set(begun)) == len(begun), "each goes on where the one before it was"
    assert fetched + size - begun[-1] <= 1.1 * size
    assert not list(partial.iterdir())


def longest(partial: Path) -> int:
    sizes = [0]
    for path in partial.glob("*.part"):
        try:
            sizes.append(path.stat().st_size)
        except FileNotFoundError:
            continue
    return max(sizes)
