from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from heimdall.mcp_clients.clients import client_named
from heimdall.mcp_clients.entry import Server
from heimdall.mcp_clients.probe import OUR_TOOLS, environment, probe
from heimdall.mcp_clients.variables import PASSED_ON

pytestmark = pytest.mark.slow


def python(code: str) -> Server:
    return Server(command=sys.executable, args=["-c", code])


def answering(tools: list[str], more: str = "") -> Server:
    return python(
        f"""
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    if "id" in asked:
        result = {{"serverInfo": {{"name": "s", "version": "1.2"}}, "tools": [{{"name": n}} for n in {tools}]}}
        print(json.dumps({{"jsonrpc": "2.0", "method": "notifications/message"}}))
        print(json.dumps({{"jsonrpc": "2.0", "id": asked["id"], "result": result}}), flush=True)
{more}
"""
    )


def test_our_own_server_says_its_version_and_tools(tmp_path: Path) -> None:
    server = Server(command=sys.executable, args=["-m", "heimdall.mcp_server"])
    answer = probe(server, os.environ, tmp_path)
    assert answer.problem == ""
    assert {*OUR_TOOLS} <= {*answer.tools}
    assert answer.version
    assert list(tmp_path.iterdir()) == [], "looking leaves nothing behind"


@pytest.mark.parametrize(
    ("server", "problem"),
    [
        (python(""), "it ended with exit code 0 before it answered initialize"),
        (Server(command="/gone/x"), "the program /gone/x does not exist or can't be started"),
        (python("print('hello')"), "it is no MCP server, or not alone on its output: 'hello'"),
        (python("1/0"), "last words: ZeroDivisionError"),
        (python("import time; time.sleep(600)"), "did not answer initialize within 2 seconds"),
        (answering(["other"]), "s 1.2 has no tool recall_memories"),
        (answering([*OUR_TOOLS], "import time; time.sleep(600)"), ""),
    ],
    ids=["true", "gone", "chatter", "error", "silent", "other", "stays"],
)
def test_what_is_wrong_is_told(server: Server, problem: str, tmp_path: Path) -> None:
    seconds = 2 if "within" in problem else 300
    answer = probe(server, os.environ, tmp_path, seconds=seconds)
    assert problem in answer.problem
    assert bool(problem) == bool(answer.problem)


def test_a_client_that_passes_on_nothing_gives_what_is_named() -> None:
    own = {"PATH": "/bin", "HOME": "/h", "SSL_CERT_FILE": "/ca", "HEIMDALL_GITHUB_TOKEN": "t"}
    codex = client_named("codex")
    bare = environment(codex, Server(command="x", env={"A": "$B"}), own)
    assert bare == {"PATH": "/bin", "HOME": "/h", "A": "$B"}
    named = environment(codex, Server(command="x", names=list(PASSED_ON)), own)
    assert named == {"PATH": "/bin", "HOME": "/h", "SSL_CERT_FILE": "/ca"}


@pytest.mark.parametrize("name", ["claude-code", "gemini", "cursor", "opencode", "grok"])
def test_references_are_filled_as_the_client_fills_them(name: str) -> None:
    client = client_named(name)
    assert client.reference
    env = {"T": client.reference.replace("NAME", "TOKEN"), "U": "plain"}
    filled = environment(client, Server(command="x", env=env), {"TOKEN": "secret"})
    assert filled == {"TOKEN": "secret", "T": "secret", "U": "plain"}
    assert json.dumps(env) not in json.dumps(filled)
