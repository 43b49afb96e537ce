"""However a client goes away, its server goes too."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from heimdall.models.processes import is_running
from tests.support.faults import Drip, Fault, HoldAfter
from tests.support.mcp_raw import RawServer
from tests.support.places import DATA
from tests.support.servers import plain_mirror
from tests.support.small_model import SmallModel
from tests.support.trees import largest
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow


def is_gone(pid: int) -> bool:
    if hasattr(os, "WNOHANG"):
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
    return is_running(pid) is False


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there are no such signals")
@pytest.mark.parametrize("number", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_signal_ends_it_in_the_middle_of_a_download(
    fetching: dict[str, str], small: SmallModel, home: Path, number: str
) -> None:
    partials = home / DATA / "models/.store/partial"
    held = HoldAfter(10_000)
    with plain_mirror(small.directory, faults=[Fault(held, path="/v1/*")]) as mirror:
        with RawServer(environment={**fetching, "HEIMDALL_MODELS_MIRROR": mirror.url}) as server:
            server.initialize()
            wait_until(lambda: largest(partials, "*.part") >= held.size, server.process)
            server.process.send_signal(signal.Signals[number])
            assert server.ended() == 128 + signal.Signals[number]
            assert "Traceback" not in server.stderr
        assert largest(partials, "*.part") >= held.size


def test_the_end_of_stdin_ends_it_in_the_middle_of_a_download(
    fetching: dict[str, str], small: SmallModel
) -> None:
    with (
        plain_mirror(small.directory, faults=[Fault(Drip(10_000))]) as mirror,
        RawServer(environment={**fetching, "HEIMDALL_MODELS_MIRROR": mirror.url}) as server,
    ):
        server.initialize()
        server.wait(lambda message: "fetching models-v1.zip" in str(message))
        assert server.end() == 0


def test_a_second_server_continues_what_the_first_one_began(
    fetching: dict[str, str], small: SmallModel, home: Path
) -> None:
    held = HoldAfter(50_000)
    partials = home / DATA / "models/.store/partial"
    with plain_mirror(small.directory, faults=[Fault(held, path="/v1/*", turns={1})]) as mirror:
        environment = {**fetching, "HEIMDALL_MODELS_MIRROR": mirror.url}
        with RawServer(environment=environment) as server:
            server.initialize()
            wait_until(lambda: largest(partials, "*.part") >= held.size, server.process)
            server.process.kill()
            server.process.wait()
        held.go.set()
        with RawServer(environment=environment) as server:
            server.initialize()
            server.wait(lambda message: "'ready'" in str(message))
            assert server.end() == 0
        assert mirror.requests.settled()[-1].status == 206


def test_a_killed_parent_ends_it_although_somebody_else_holds_its_stdin(project: Path) -> None:
    read_end, write_end = os.pipe()  # ours, and inherited by the parent: it stays open
    parent_code = (
        "import subprocess, sys, time\n"
        "server = subprocess.Popen([sys.executable, '-m', 'heimdall.mcp_server'], stdin=0, stdout=subprocess.PIPE)\n"
        "print(server.pid, flush=True); server.stdout.readline(); print('up', flush=True); time.sleep(1000)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", parent_code],
        env=os.environ,
        stdin=read_end,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    os.write(write_end, b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n')
    assert parent.stdout.readline() == "up\n"
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_until(lambda: is_gone(pid))
    os.close(read_end)
    os.close(write_end)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there are no such signals")
def test_a_signal_during_start_up_ends_it(project: Path) -> None:
    with RawServer() as server:
        server.initialize(ready=False)  # answered while the rest is still being imported
        server.process.terminate()
        assert server.ended() in {-signal.SIGTERM, 128 + signal.SIGTERM}
