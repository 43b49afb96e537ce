from __future__ import annotations

import difflib
import json
from pathlib import Path

import pytest

from heimdall.mcp_clients import documents
from heimdall.mcp_clients.clients import CLIENTS, Client, client_named
from heimdall.mcp_clients.entry import server_entry, server_of
from heimdall.mcp_clients.errors import FormatError
from heimdall.mcp_clients.places import Place

CODEX = """\
# my model
model = "gpt"

[mcp_servers.other] # keep
command = "x"

[profiles.fast]
model = "small"
"""


def entry_of(client: Client) -> dict[str, object]:
    place = Place(client=client, scope="user", root=Path("/src"))
    return server_entry(place, command="/opt/heimdall-mcp", project=place.root)


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
def test_an_entry_comes_and_goes_in_every_client(client: Client) -> None:
    made = documents.put_entry("", client, "heimdall", entry_of(client))
    entry = documents.find_entry(made, client, "heimdall")
    server = server_of(client, entry)
    assert server is not None
    assert (server.command, server.args) == ("/opt/heimdall-mcp", [])
    assert server.env["HEIMDALL_PROJECT"] == "/src"
    assert all(entry.get(key, []) == value for key, value in entry_of(client).items())
    assert documents.put_entry(made, client, "heimdall", entry_of(client)) == made
    assert documents.drop_entry(made, client, "heimdall") == ""


def test_toml_keeps_comments_and_order() -> None:
    codex = client_named("codex")
    made = documents.put_entry(CODEX, codex, "heimdall", entry_of(codex))
    assert all(
        line.startswith((" ", "+")) for line in difflib.ndiff(CODEX.splitlines(), made.splitlines())
    )
    assert documents.drop_entry(made, codex, "heimdall") == CODEX
    last = documents.put_entry('model = "x"\n', codex, "heimdall", entry_of(codex))
    assert documents.drop_entry(last, codex, "heimdall") == 'model = "x"\n'


def test_toml_keeps_the_line_ends_of_windows() -> None:
    codex, text = client_named("codex"), CODEX.replace("\n", "\r\n")
    made = documents.put_entry(text, codex, "heimdall", entry_of(codex))
    assert made == documents.put_entry(CODEX, codex, "heimdall", entry_of(codex)).replace(
        "\n", "\r\n"
    )
    assert documents.put_entry(made, codex, "heimdall", entry_of(codex)) == made
    assert documents.drop_entry(made, codex, "heimdall") == text


def test_what_the_user_added_to_the_entry_stays() -> None:
    cursor = client_named("cursor")
    text = json.dumps(
        {"mcpServers": {"heimdall": {"command": "old", "env": {"TOKEN": "x"}, "disabled": True}}},
        indent=1,
    )
    made = documents.put_entry(text, cursor, "heimdall", entry_of(cursor))
    assert documents.find_entry(made, cursor, "heimdall") == {
        "command": "/opt/heimdall-mcp",
        "env": {"TOKEN": "x", "HEIMDALL_PROJECT": "/src"},
        "disabled": True,
        "type": "stdio",
    }


def test_an_absent_list_of_arguments_is_an_empty_one() -> None:
    zed = client_named("zed")
    text = '{"context_servers": {"heimdall": {"source": "custom", "command": "h"}}}'
    entry = server_entry(Place(client=zed, scope="user", root=Path("/src")), command="h")
    assert documents.put_entry(text, zed, "heimdall", entry) == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("codex", "model = "),
        ("codex", 'mcp_servers = "none"'),
        ("claude-code", '{"a": 1,}'),
        ("claude-code", '{"a": 1 // no\n}'),
        ("vscode", '{"servers": []}'),
        ("vscode", "[]"),
        ("zed", '{"a": 1'),
    ],
)
def test_what_the_client_could_not_read_is_refused(name: str, text: str) -> None:
    client = client_named(name)
    with pytest.raises(FormatError):
        documents.put_entry(text, client, "heimdall", entry_of(client))


def test_an_entry_that_is_no_table_is_replaced() -> None:
    gemini = client_named("gemini")
    made = documents.put_entry(
        '{"mcpServers": {"heimdall": null}}', gemini, "heimdall", entry_of(gemini)
    )
    assert documents.find_entry(made, gemini, "heimdall")["command"] == "/opt/heimdall-mcp"
