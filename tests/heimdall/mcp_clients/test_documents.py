from __future__ import annotations

import difflib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from heimdall.mcp_clients import documents
from heimdall.mcp_clients.clients import CLIENTS, Client, client_named
from heimdall.mcp_clients.entry import server_entry, server_of
from heimdall.mcp_clients.errors import FormatError
from heimdall.mcp_clients.formats import jsonc
from heimdall.mcp_clients.places import Place

CODEX = """\
# my model
model = "gpt"

[mcp_servers.other] # keep
command = "x"

[profiles.fast]
model = "small"
"""


ROOT = str(Path("/src"))


def entry_of(client: Client) -> dict[str, object]:
    place = Place(client=client, scope="user", root=Path(ROOT))
    return server_entry(place, command="/opt/heimdall-mcp", project=place.root)


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
def test_an_entry_comes_and_goes_in_every_client(client: Client) -> None:
    made = documents.put_entry("", client, "heimdall", entry_of(client))
    entry = documents.find_entry(made, client, "heimdall")
    server = server_of(client, entry)
    assert server is not None
    assert (server.command, server.args) == ("/opt/heimdall-mcp", [])
    assert server.env["HEIMDALL_PROJECT"] == ROOT
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
        "env": {"TOKEN": "x", "HEIMDALL_PROJECT": ROOT},
        "disabled": True,
        "type": "stdio",
    }


def test_an_absent_list_of_arguments_is_an_empty_one() -> None:
    zed = client_named("zed")
    text = '{"context_servers": {"heimdall": {"source": "custom", "command": "h"}}}'
    entry = server_entry(Place(client=zed, scope="user", root=Path(ROOT)), command="h")
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


FORMS = {
    "a comment behind the header": "[mcp_servers] # mine\n",
    "inline": "mcp_servers = { other = { command = 'x' } } # mine\nmodel = 'm'\n",
    "empty inline": "mcp_servers = {} # mine\n",
    "dotted keys before others": "mcp_servers.other.command = 'x'\nmodel = 'm'\napproval_policy = 'never'\n",
    "dotted below the header": "[mcp_servers]\nother.command = 'x'\nother.args = []\n\n[z]\na = 1\n",
    "quoted keys": "['mcp_servers'.\"o.t\"]\ncommand = 'x'\n",
    "arrays of tables": "[[a]]\nx = 1\n[[a]]\nx = 2\n[a.b]\ny = 1\n",
    "what looks like a header": 'x = """\n[mcp_servers.heimdall]\n"""\ny = [\n  \'#]\', # ]\n]\n',
    "lines of Windows": "[a]\r\nx = 1\r\n\r\n[mcp_servers.o]\r\ncommand = 'x'\r\n",
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_every_form_of_toml_comes_back_as_it_was(text: str) -> None:
    codex = client_named("codex")
    made = documents.put_entry(text, codex, "heimdall", entry_of(codex))
    assert documents.find_entry(made, codex, "heimdall")["command"] == "/opt/heimdall-mcp"
    assert made.count("\r") == (made.count("\n") if "\r" in text else 0)
    assert documents.put_entry(made, codex, "heimdall", entry_of(codex)) == made
    assert documents.drop_entry(made, codex, "heimdall") == text


def test_keys_that_follow_a_dotted_one_stay_outside() -> None:
    codex = client_named("codex")
    text = "mcp_servers.heimdall.command = 'old' # mine\nmodel = 'm'\napproval_policy = 'never'\n"
    made = documents.put_entry(text, codex, "heimdall", {"command": "new", "args": ["-v"]})
    assert made == (
        'mcp_servers.heimdall.command = "new" # mine\nmcp_servers.heimdall.args = ["-v"]\n'
        "model = 'm'\napproval_policy = 'never'\n"
    )
    assert (
        documents.drop_entry(made, codex, "heimdall") == "model = 'm'\napproval_policy = 'never'\n"
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("goose", "shared: &it {o: {cmd: x}}\nextensions: *it\n"),
        ("goose", "extensions: [1]\n"),
        ("goose", "extensions: !Tagged {}\n"),
        ("goose", "a: 1\n---\nb: 2\n"),
        ("codex", "[[mcp_servers]]\nx = 1\n"),
        ("crush", "mcp add heimdall --command x && echo ready\n"),
        ("crush", 'mcp add heimdall --command "$HOME/x"\n'),
        ("crush", "mcp add heimdall --command 'x\n"),
    ],
)
def test_a_form_in_which_more_would_change_is_refused(name: str, text: str) -> None:
    client = client_named(name)
    with pytest.raises(FormatError):
        documents.put_entry(text, client, "heimdall", entry_of(client))


def test_what_is_no_yaml_is_told_with_its_place() -> None:
    with pytest.raises(FormatError, match=r"not allowed in this context: line 1, column 5$"):
        documents.find_entry("a: b: c", client_named("goose"), "heimdall")


def test_an_edit_that_does_more_than_it_should_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    zed = client_named("zed")
    text = '{"a": 1, "b": true, // mine\n"context_servers": {"o": {}}}'
    put = jsonc.put

    def refused(spoil: Callable[[str], str]) -> None:
        monkeypatch.setattr(jsonc, "put", lambda *arguments: spoil(put(*arguments)))
        with pytest.raises(FormatError, match="can't be changed alone"):
            documents.put_entry(text, zed, "heimdall", entry_of(zed))

    refused(lambda made: made.replace('"a": 1', '"a": true'))
    refused(lambda made: made.replace('"a": 1, "b": true', '"b": true, "a": 1'))
    refused(lambda made: made.replace("// mine", ""))
    refused(lambda made: made.replace('"o": {}', '"o": {"x": 1}'))
    refused(lambda made: made[:-1])


def test_what_the_user_has_switched_off_stays_so() -> None:
    goose = client_named("goose")
    text = "extensions:\n  heimdall:\n    enabled: false # for now\n    cmd: old\n    timeout: 5\n"
    made = documents.put_entry(text, goose, "heimdall", entry_of(goose))
    entry = documents.find_entry(made, goose, "heimdall")
    assert (entry["enabled"], entry["timeout"], entry["type"]) == (False, 5, "stdio")
    assert "enabled: false # for now" in made


def test_names_that_are_passed_on_already_stay() -> None:
    codex = client_named("codex")
    text = '[mcp_servers.heimdall]\ncommand = "x"\nenv_vars = ["MINE"] # mine\n'
    made = documents.put_entry(text, codex, "heimdall", entry_of(codex))
    names = documents.find_entry(made, codex, "heimdall")["env_vars"]
    assert names[0] == "MINE"
    assert "SSL_CERT_FILE" in names
    assert documents.put_entry(made, codex, "heimdall", entry_of(codex)) == made
