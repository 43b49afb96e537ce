"""From the start of the process to the answer of `initialize`: heimdall-mcp and the least server that the SDK allows.

With the model on this machine, and without it on a link of 1 Mbit/s; with Python's bytecode cached as pip leaves it, and
without, as uv does; until the list of tools, for which the other has to be there as a whole; and until a first question is
answered by meaning, beside the command that does the same.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.pairs import NOWHERE, Contestant, compare
from tests.support.faults import Drip, Fault
from tests.support.real_model import DIRECTORY
from tests.support.servers import plain_mirror
from tests.support.small_model import ROOT, Installation, SmallModel

BARE = """
import anyio
from mcp.server import Server
from mcp.server.stdio import stdio_server
from mcp_types import ListToolsResult

async def list_tools(ctx, params):
    return ListToolsResult(tools=[])

async def main():
    server = Server("bare", on_list_tools=list_tools)
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())

anyio.run(main)
"""
_ONE_MEGABIT = 125_000
_CLIENT = {"name": "benchmark", "version": "1"}
_QUESTION = "how is a download continued"
_MESSAGES: Final[tuple[dict[str, Any], ...]] = (
    {
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": _CLIENT},
    },
    {"method": "notifications/initialized"},
    {"id": 2, "method": "tools/list"},
    {
        "id": 3,
        "method": "tools/call",
        "params": {"name": "recall_memories", "arguments": {"query": _QUESTION}},
    },
)


@dataclass(frozen=True)
class FirstAnswer(Contestant):
    """A server's command, timed until it answers.

    Attributes:
        request: the id of the request whose answer counts, the last one that is sent: 1 `initialize`, 2 `tools/list`,
            3 `recall_memories`.
    """

    request: int = 1

    def seconds(self) -> float:
        """Seconds until the answer."""
        self.prepare()
        lines = b"".join(
            json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n"
            for message in _MESSAGES
            if message.get("id", 0) <= self.request
        )
        began = time.perf_counter()
        with subprocess.Popen(
            self.command,
            cwd=NOWHERE,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            server.stdin.write(lines)
            server.stdin.flush()
            while json.loads(server.stdout.readline()).get("id") != self.request:
                pass
            taken = time.perf_counter() - began
            server.stdin.close()
            server.stdout.read()
        return taken


def run(rounds: int = 7) -> None:
    """Print medians and ratios."""
    with tempfile.TemporaryDirectory() as directory:
        top = Path(directory)
        model = SmallModel(top / "release", name="all-MiniLM-L6-v2")
        installation = Installation.make(top / "site", model, patient=False)
        bytecode = top / "bytecode"
        (top / "project").mkdir()
        with plain_mirror(model.directory, faults=[Fault(Drip(_ONE_MEGABIT))]) as slow:
            common = {
                **{
                    name: value
                    for name, value in os.environ.items()
                    if not name.startswith(("HEIMDALL_", "XDG_", "PYTHON"))
                },
                "PYTHONPATH": f"{installation.site}{os.pathsep}{ROOT}",
                "PYTHONPYCACHEPREFIX": str(bytecode),
                "HEIMDALL_PROJECT": str(top / "project"),
                "HEIMDALL_SOURCES": "mirror",
            }
            warm = common | {"HOME": str(top / "warm"), "HEIMDALL_MODELS_MIRROR": model.mirror}
            cold = common | {"HOME": str(top / "cold"), "HEIMDALL_MODELS_MIRROR": slow.url}
            fresh = common | {
                "HOME": str(top / "warm"),
                "HEIMDALL_FETCH": "never",
                "PYTHONDONTWRITEBYTECODE": "1",
            }
            fresh["PYTHONPYCACHEPREFIX"] = str(top / "nothing")
            ours, bare = [sys.executable, "-m", "heimdall.mcp_server"], [sys.executable, "-c", BARE]
            subprocess.run(
                [sys.executable, "-m", "heimdall", "models", "pull"],
                env=warm,
                check=True,
                capture_output=True,
            )
            reference = FirstAnswer("the bare SDK server", bare, warm)
            for title, environment in (("model here", warm), ("no model, 1 Mbit/s", cold)):
                compare(
                    f"initialize answered: {title}",
                    [FirstAnswer("heimdall-mcp", ours, environment), reference],
                    rounds,
                )
            unprepared = [
                FirstAnswer("heimdall-mcp", ours, fresh),
                FirstAnswer("the bare SDK server", bare, fresh),
            ]
            compare("initialize answered: no bytecode cached", unprepared, rounds)
            listed = [
                FirstAnswer("heimdall-mcp", ours, warm, request=2),
                FirstAnswer(reference.name, bare, warm, request=2),
            ]
            compare("tools listed: model here", listed, rounds)
            asked = warm | {"HOME": str(top / "real"), "PYTHONPATH": str(ROOT)}
            asked["HEIMDALL_SYSTEM_MODELS"] = str(DIRECTORY)
            command = [sys.executable, "-m", "heimdall"]
            loading = [*command, "load", str(ROOT / "docs")]
            subprocess.run(loading, env=asked, check=True, capture_output=True)
            questions = [
                FirstAnswer("heimdall-mcp", ours, asked, request=3),
                Contestant("heimdall recall", [*command, "recall", _QUESTION], asked),
            ]
            compare("a first question answered by meaning", questions, rounds)


if __name__ == "__main__":
    run()
