"""An import stands still for at most 3 s in all, whatever fails. What hangs without that takes 600 s."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.dead_network import KINDS, in_network
from tests.support.faults import Drip, Fault, HoldAfter
from tests.support.raw_server import endlessly, raw_server
from tests.support.servers import plain_mirror
from tests.support.small_model import Installation, SmallModel, from_mirror

pytestmark = pytest.mark.slow

ENDLESS = {"HEIMDALL_HTTP_TIMEOUT": "600", "HEIMDALL_CONNECT_TIMEOUT": "600"}
"""So that only the import's own limit, which is 3 s, keeps it from hanging."""
HUGGING_FACE = "https://huggingface.co/owner/small/resolve/main/"
ALSO = {
    "model.safetensors": (f"{HUGGING_FACE}weights", "pypi:some-model==1.0#some_model/weights"),
    "tokenizer/tokenizer.json": (
        f"{HUGGING_FACE}tokenizer",
        "pypi:some-model==1.0#some_model/tokenizer",
    ),
}


@pytest.fixture
def everywhere(tmp_path: Path) -> Installation:
    """Its model is at GitHub, at Hugging Face and on the package index."""
    model = SmallModel(tmp_path / "m", also=ALSO)
    return Installation.make(tmp_path / "everywhere", model, patient=False)


@pytest.fixture
def installation(tmp_path: Path, small: SmallModel) -> Installation:
    return Installation.make(tmp_path / "site", small, patient=False)


def import_heimdall(installation: Installation, *prefix: str, **variables: str) -> str:
    """What it says; it must end well."""
    done = subprocess.run(
        [*prefix, sys.executable, "-c", "import heimdall"],
        env=installation.environment(
            HEIMDALL_FETCH="import", PYTHONIOENCODING="utf-8", **ENDLESS, **variables
        ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=900,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    return done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_that_does_not_work(everywhere: Installation, kind: str) -> None:
    said = import_heimdall(everywhere, *in_network(kind))
    for source in ("github", "huggingface", "index"):
        assert f"  - {source}: " in said
    (next_time,) = [line for line in said.splitlines() if line.startswith("Going on without it.")]
    assert "What first needs it fetches it" in next_time
    assert "Traceback" not in said
    said = import_heimdall(everywhere, *in_network(kind))
    assert "is not tried again by an import" in said


def test_a_proxy_that_swallows(everywhere: Installation) -> None:
    with raw_server(endlessly(b"", b"", 0.1)) as proxy:
        said = import_heimdall(everywhere, HTTPS_PROXY=proxy.url)
    assert f"by the proxy {proxy.url}: timed out" in said


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nbegin"])
def test_a_mirror_that_stops(installation: Installation, answer: bytes) -> None:
    with raw_server(endlessly(answer, b"", 0.1)) as mirror:
        said = import_heimdall(installation, **from_mirror(f"{mirror.url},{mirror.url}/other"))
    assert "Going on without it." in said


def test_an_index_that_swallows(everywhere: Installation) -> None:
    with raw_server(endlessly(b"", b"", 0.1)) as index:
        variables = {"HEIMDALL_SOURCES": "index", "PIP_INDEX_URL": f"{index.url}/simple"}
        said = import_heimdall(everywhere, **variables)
    assert "brought nothing" in said


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="processes can't be stopped here")
def test_another_process_that_stopped(installation: Installation, small: SmallModel) -> None:
    with plain_mirror(small.directory, faults=[Fault(HoldAfter(50_000), path="/v1/*")]) as mirror:
        variables = from_mirror(mirror.url)
        other = installation.start("-m", "heimdall", "models", "pull", **variables)
        with contextlib.ExitStack() as stack:
            stack.callback(other.communicate)
            stack.callback(other.kill)
            assert other.stderr is not None
            assert "fetching" in other.stderr.readline()
            os.kill(other.pid, signal.SIGSTOP)
            said = import_heimdall(installation, **variables)
    assert "still locked and nothing arrives" in said
    assert "Going on without it." in said


def test_another_process_that_goes_on_is_waited_for(
    installation: Installation, small: SmallModel
) -> None:
    with plain_mirror(small.directory, faults=[Fault(Drip(60_000))]) as mirror:  # takes 6 s
        variables = from_mirror(mirror.url)
        with installation.start("-m", "heimdall", "models", "pull", **variables) as other:
            assert other.stderr is not None
            assert "fetching" in other.stderr.readline()
            said = import_heimdall(installation, **variables)
            other.communicate(timeout=900)
        assert len(mirror.requests.found()) == 1
    assert "Going on without it." not in said


def test_slow_bytes_are_waited_for(installation: Installation, small: SmallModel) -> None:
    with plain_mirror(small.directory, faults=[Fault(Drip(60_000))]) as mirror:  # takes 6 s
        variables = from_mirror(mirror.url)
        said = import_heimdall(installation, **variables)
    assert "is ready, from mirror, verified" in said
