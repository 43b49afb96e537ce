from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

import heimdall
from heimdall.mcp_clients.clients import CLIENTS, client_named
from heimdall.mcp_clients.entry import Server, VariableError, _split, server_entry, server_of
from heimdall.mcp_clients.places import Place
from heimdall.mcp_clients.variables import PASSED_ON, unseen

SOURCE = Path(heimdall.__file__).parents[1]
LEFT_OUT = {
    "HEIMDALL_TRUST": "whom to trust is for each user to say",
    "HEIMDALL_GITHUB_TOKEN": "a secret",
    "HEIMDALL_MCP_TOKEN": "a secret, and of the HTTP server",
    "HEIMDALL_MIRROR_HEADER": "may be a secret",
    "HEIMDALL_QDRANT_API_KEY": "a secret",
    "HEIMDALL_MODELS": "another package's",
}


def place(name: str, scope: str = "user", server: str = "heimdall") -> Place:
    return Place(client=client_named(name), scope=scope, root=Path("/src"), name=server)


def entry(
    name: str, *variables: str, scope: str = "user", server: str = "heimdall"
) -> dict[str, object]:
    return server_entry(place(name, scope, server), command="h", variables=variables)


def test_what_the_server_reads_is_passed_on_or_left_out_for_a_reason() -> None:
    read = set()
    for package in ("heimdall", "cognitive_memory"):
        for path in (SOURCE / package).rglob("*.py"):
            if path.parent.name != "mcp_clients":
                read |= set(re.findall(r"\bHEIMDALL_[A-Z_]*[A-Z]\b", path.read_text("utf-8")))
    assert len(read) > 15
    assert read - set(PASSED_ON) - set(LEFT_OUT) == set()
    assert not set(PASSED_ON) & set(LEFT_OUT)
    assert {name for name in PASSED_ON if name.startswith("HEIMDALL_")} <= read


def test_codex_is_told_the_names() -> None:
    names = entry("codex", "HEIMDALL_GITHUB_TOKEN", "A=b=c")["env_vars"]
    assert isinstance(names, list)
    assert {"SSL_CERT_FILE", "HTTPS_PROXY", "XDG_DATA_HOME", "HEIMDALL_GITHUB_TOKEN"} <= {*names}
    assert "HEIMDALL_TRUST" not in names
    assert entry("codex", "A=b=c")["env"] == {"A": "b=c"}


def test_what_gemini_withholds_is_named_where_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in client_named("gemini").withheld:
        monkeypatch.delenv(name, raising=False)
    assert "env" not in entry("gemini"), (
        "a name that is not set would be passed on as it is written"
    )
    monkeypatch.setenv("SSL_CERT_FILE", "/ca.pem")
    assert entry("gemini")["env"] == {"SSL_CERT_FILE": "$SSL_CERT_FILE"}
    assert "env" not in entry("gemini", scope="project"), "it is not set for everybody"


def test_a_name_is_a_reference_or_else_todays_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "secret")
    assert entry("claude-code", "TOKEN")["env"] == {"TOKEN": "${TOKEN}"}
    assert entry("cursor", "TOKEN")["env"] == {"TOKEN": "${env:TOKEN}"}
    assert entry("opencode", "TOKEN")["environment"] == {"TOKEN": "{env:TOKEN}"}
    assert entry("goose", "TOKEN")["envs"] == {"TOKEN": "secret"}
    with pytest.raises(VariableError, match="would be shared with the project"):
        entry("zed", "TOKEN", scope="project")
    monkeypatch.delenv("TOKEN")
    with pytest.raises(VariableError, match="not set here; say --env TOKEN=VALUE"):
        entry("zed", "TOKEN")
    for bad in ("", "=x", "A B", "A-B=c"):
        with pytest.raises(VariableError, match="expected NAME or NAME=VALUE"):
            entry("zed", bad)


def test_what_apps_from_the_dock_do_not_see_stands_in_a_users_entry(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in PASSED_ON:
        monkeypatch.delenv(name, raising=False)
    told = {
        "HEIMDALL_OFFLINE": "1",
        "MODEL_CACHE_DIR": "/models",
        "SSL_CERT_FILE": "/ca.pem",
        "XDG_DATA_HOME": "/data",
        "HEIMDALL_QDRANT_URL": "https://vectors.example",
    }
    untold = {
        "HEIMDALL_MODELS_MIRROR": "https://me:secret@mirror.example",
        "HEIMDALL_TRUST": "/work",
        "HEIMDALL_GITHUB_TOKEN": "secret",
    }
    for name, value in {**told, **untold, "HEIMDALL_PROJECT": "/one"}.items():
        monkeypatch.setenv(name, value)
    assert "env" not in entry("cursor")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert entry("cursor")["env"] == told
    assert entry("cursor", "HEIMDALL_OFFLINE=0", "SSL_CERT_FILE")["env"] == {
        **told,
        "HEIMDALL_OFFLINE": "0",
        "SSL_CERT_FILE": "${env:SSL_CERT_FILE}",
    }
    assert "env" not in entry("cursor", scope="project")
    assert unseen(os.environ)[1] == [*untold]


@pytest.mark.parametrize("name", CLIENTS)
def test_what_is_written_is_read_back(name: str) -> None:
    made = server_entry(place(name, server="mine"), command="h -v --x", variables=["A=1"])
    server = server_of(CLIENTS[name], made)
    assert server is not None
    assert (server.command, server.args, server.env["A"]) == ("h", ["-v", "--x"], "1")
    assert made.get("name", "mine") == "mine"


@pytest.mark.parametrize(
    "bad", [None, "x", [], {}, {"command": 3}, {"command": []}, {"command": "x", "args": "y"}]
)
def test_what_starts_nothing_is_none(bad: object) -> None:
    assert server_of(client_named("cursor"), bad) is None
    assert server_of(client_named("opencode"), {"command": []}) is None
    assert server_of(client_named("opencode"), {"command": ["a", "b"]}) == Server(
        command="a", args=["b"]
    )


@pytest.mark.parametrize(
    ("command", "parts"),
    [
        (
            r'"C:\Users\Jo Doe\heimdall-mcp.exe" --debug',
            [r"C:\Users\Jo Doe\heimdall-mcp.exe", "--debug"],
        ),
        (r"C:\x\heimdall-mcp.exe", [r"C:\x\heimdall-mcp.exe"]),
    ],
)
def test_a_command_of_windows_keeps_its_backslashes_and_no_quotes(
    command: str, parts: list[str]
) -> None:
    assert _split(command, windows=True) == parts
