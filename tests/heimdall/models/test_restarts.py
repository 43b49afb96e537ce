"""A container that is killed and started again, with the store on a volume: the model arrives all the same."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import pytest

from tests.support.faults import Fault, HoldAfter
from tests.support.places import DATA
from tests.support.servers import plain_mirror
from tests.support.small_model import Installation, SmallModel, from_mirror
from tests.support.trees import largest
from tests.support.waiting import wait_until

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
    step = size // (RESTARTS + 2)
    hostnames = names(anew=anew)
    with plain_mirror(small.directory) as server:
        variables = from_mirror(server.url)
        command = [sys.executable, "-m", "heimdall", "models", "pull"]
        environment = installation.environment(**variables)
        reached = fetched = 0
        for _ in range(RESTARTS):
            held = HoldAfter(step)
            server.faults.clear()
            server.faults.add(Fault(held, path="/v1/*"))
            process = subprocess.Popen(
                [*container, next(hostnames), *command],
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            wait_until(lambda: largest(partial, "*.part") >= reached + step, process)  # noqa: B023 (now)
            assert len(list(partial.glob("*.part"))) <= 2, "one in use, one to spare"
            process.kill()
            process.wait()
            held.go.set()
            now = largest(partial, "*.part")
            fetched += now - reached
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
