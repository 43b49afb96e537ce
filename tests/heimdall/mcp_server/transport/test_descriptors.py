from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from tests.support.mcp_raw import ROOT

pytestmark = pytest.mark.slow

CLAIM = "from heimdall.mcp_server.transport.descriptors import claim_standard_streams; wire = claim_standard_streams()\n"
NOISE = """
import ctypes, os, subprocess, sys
print("python"); sys.stdout.write("stdout"); os.write(1, b"descriptor")
sys.__stdout__.write("original"); sys.__stdout__.flush()
ctypes.CDLL(None).puts(b"library"); ctypes.CDLL(None).fflush(None)
subprocess.run([sys.executable, "-c", "import os; print(os.read(0, 10), 'child')"])
assert os.read(0, 10) == b""
os.write(wire.outgoing, b"protocol")
print(os.read(wire.incoming, 100))
"""


def run(code: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, timeout=900, check=False, **options
    )


@pytest.mark.skipif(sys.platform == "win32", reason="ctypes finds C's puts elsewhere")
def test_only_the_protocol_reaches_stdout_and_only_we_read_stdin() -> None:
    finished = run(CLAIM + NOISE, input=b"to the server", capture_output=True)
    assert (finished.returncode, finished.stdout) == (0, b"protocol")
    for word in (
        b"python",
        b"stdout",
        b"descriptor",
        b"original",
        b"library",
        b"b'' child",
        b"b'to the server'",
    ):
        assert word in finished.stderr


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_closed_standard_streams_are_not_taken_by_other_files(closed: tuple[int, ...]) -> None:
    code = f"import os\nfor number in {closed}: os.close(number)\n{CLAIM}print('noise')\nfile = os.open({os.devnull!r}, os.O_RDONLY)\nos._exit(0 if file > 2 and min(wire) > 2 else 1)"
    assert run(code, stdin=subprocess.DEVNULL, capture_output=True).returncode == 0
