"""Random valid files of each format: what an install and a removal do to everybody else's part of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml as pyyaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from heimdall.mcp_clients import documents
from heimdall.mcp_clients.clients import CLIENTS, client_named
from heimdall.mcp_clients.entry import server_entry
from heimdall.mcp_clients.formats import jsonc, shell, toml, yaml
from heimdall.mcp_clients.places import Place

READERS = {"json": jsonc, "jsonc": jsonc, "toml": toml, "yaml": yaml, "shell": shell}
OURS = ["heimdall", "mémoire", "a.b", "with blank"]

keys = st.sampled_from(
    ["a", "b-c", "x.y", "ü", "", 'q"q', "mcp_servers", "extensions", "mcpServers"]
)
texts = st.text(
    st.characters(codec="utf-8", exclude_characters="\x7f\x85\u2028\u2029\ufeff", min_codepoint=32),
    max_size=6,
)
values = st.recursive(
    st.booleans() | st.integers(-9, 10**6) | texts | st.sampled_from([1.5, "#no", "[x]", "'''"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(keys, inner, max_size=2),
    max_leaves=5,
)
servers = st.dictionaries(
    st.sampled_from(["other", "d.o", "ünï", "z"]),
    st.dictionaries(st.sampled_from(["command", "args", "x y"]), values, min_size=1, max_size=3),
    max_size=3,
)
own_entries = st.none() | st.fixed_dictionaries(
    {"command": st.just("/old/heimdall-mcp")},
    optional={
        "args": st.lists(st.just("-v"), max_size=1),
        "env": st.dictionaries(st.sampled_from(["TOKEN", "HEIMDALL_PROJECT"]), st.just("1")),
        "startup_timeout_sec": st.just(20),
    },
)
comments = st.sampled_from(["", "", "# mine, [ { ''' \"\"\"", "#", "# = ]"])


@st.composite
def toml_files(draw: st.DrawFn, name: str) -> str:
    """Tables, inline tables, dotted keys, arrays of tables, each with comments, in any mixture."""

    def key(one: str) -> str:
        return one if one.isascii() and one.isalpha() else json.dumps(one, ensure_ascii=False)

    def value(one: Any) -> str:
        if isinstance(one, dict):
            return "{" + ", ".join(f"{key(k)} = {value(v)}" for k, v in one.items()) + "}"
        if isinstance(one, list):
            gap = draw(st.sampled_from(["", "\n  ", " # c ]\n"]))
            return "[" + gap + f",{gap}".join(map(value, one)) + gap + "]"
        if isinstance(one, str) and "'" not in one and draw(st.booleans()):
            return draw(st.sampled_from([f"'{one}'", f"'''\n{one}\n[no.header]\n'''"]))
        return json.dumps(one, ensure_ascii=False)

    def line(path: str, one: Any) -> str:
        return f"{draw(st.sampled_from(['', '  ']))}{path} = {value(one)} {draw(comments)}\n"

    def table(path: str, content: dict[str, Any]) -> str:
        return f"[{path}] {draw(comments)}\n" + "".join(line(key(k), v) for k, v in content.items())

    others = draw(
        st.dictionaries(keys.filter(lambda one: one != "mcp_servers"), values, max_size=3)
    )
    content = {**draw(servers)}
    if own := draw(own_entries):
        content[name] = own
        content = dict(draw(st.permutations(list(content.items()))))
    top = "".join(line(key(k), v) for k, v in others.items())
    form = draw(st.sampled_from(["inline", "dotted", "tables", "below", "mixed"]))
    if form == "inline":
        body = top + line("mcp_servers", content)
    elif form == "dotted":
        dotted = "".join(
            line(f"mcp_servers.{key(n)}.{key(k)}", v)
            for n, e in content.items()
            for k, v in e.items()
        )
        body = dotted + top if draw(st.booleans()) else top + dotted
    elif form == "tables":
        body = top + draw(st.sampled_from(["", f"[mcp_servers] {draw(comments)}\n"]))
        for n, e in content.items():
            env = e.pop("env", None) if draw(st.booleans()) else None
            body += draw(st.sampled_from(["", "\n", "\n\n# above\n"]))
            body += table(f"mcp_servers.{key(n)}", e)
            body += table(f"mcp_servers.{key(n)}.env", env) if isinstance(env, dict) else ""
    else:
        body = top + f"[mcp_servers] {draw(comments)}\n"
        for n, e in content.items():
            if form == "below" and draw(st.booleans()):
                body += "".join(line(f"{key(n)}.{key(k)}", v) for k, v in e.items())
            else:
                body += line(key(n), e)
    body += draw(st.sampled_from(["", "# at the end", "\n[profiles.fast] # p\nmodel = 'x'\n\n"]))
    body += draw(st.sampled_from(["", "\n[[arrays]]\nx = 1\n[[arrays]]\nx.y = 2\n[arrays.z]\n"]))
    return body.replace("\n", draw(st.sampled_from(["\n", "\n", "\r\n"])))


@st.composite
def json_files(draw: st.DrawFn, name: str, comments_allowed: bool) -> str:
    gaps = st.sampled_from(["", " ", "\n", "\n\t"] + ["// c, {\n", "/* } */"] * comments_allowed)
    content = draw(
        st.dictionaries(keys.filter(lambda one: one != "mcpServers"), values, max_size=3)
    )
    if draw(st.booleans()):
        held = {**draw(servers)}
        if own := draw(own_entries):
            held[name] = own
        content["mcpServers"] = dict(draw(st.permutations(list(held.items()))))

    def write(value: Any) -> str:
        if not isinstance(value, dict):
            return json.dumps(value, ensure_ascii=draw(st.booleans()))
        inside = ",".join(
            f"{draw(gaps)}{json.dumps(k)}{draw(gaps)}:{draw(gaps)}{write(v)}{draw(gaps)}"
            for k, v in value.items()
        )
        comma = draw(st.sampled_from(["", ","])) if value and comments_allowed else ""
        return "{" + inside + comma + draw(gaps) + "}"

    text = write(content) + draw(st.sampled_from(["", "\n"]))
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text


@st.composite
def yaml_files(draw: st.DrawFn, name: str) -> str:
    content = draw(
        st.dictionaries(keys.filter(lambda one: one != "extensions"), values, max_size=3)
    )
    held: dict[str, Any] = {**draw(servers)}
    if own := draw(own_entries):
        held[name] = {"cmd": own["command"], "args": own.get("args", []), "envs": {"TOKEN": "1"}}
    chosen: Any = draw(st.sampled_from([held, held, held or None]))
    content = dict(draw(st.permutations([*content.items(), ("extensions", chosen)])))
    text = pyyaml.safe_dump(
        content,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=draw(st.sampled_from([False, False, None, True])),
        indent=draw(st.sampled_from([2, 4])),
        width=10**6,
    )
    lines = text.splitlines()
    if draw(st.booleans()) and not any("'" in one or '"' in one or "|" in one for one in lines):
        at = draw(st.integers(0, len(lines)))
        lines.insert(at, draw(st.sampled_from(["# a comment: x", "    # indented", ""])))
    return "\n".join(lines) + draw(st.sampled_from(["", "\n", "\n# end\n"]))


@st.composite
def shell_files(draw: st.DrawFn, name: str) -> str:
    lines = [
        "# mine",
        "option debug true",
        "if [[ -n $X ]]; then\n    mcp add inner --command x\nfi",
        'mcp add other \\\n  --type http \\\n  --header Authorization "Bearer $T"',
        "cat <<'END'\nany 'thing\nEND",
        "",
    ]
    chosen = draw(st.lists(st.sampled_from(lines), max_size=4))
    if draw(st.booleans()):
        own = f"mcp add '{name}' --command /old \\\n  --env TOKEN 'a b' --timeout 9"
        chosen.insert(draw(st.integers(0, len(chosen))), own)
    first = draw(st.sampled_from(["", "#!/bin/bash\n"]))
    return first + "\n".join(chosen) + draw(st.sampled_from(["", "\n"]))


def files(kind: str, name: str) -> st.SearchStrategy[str]:
    return {
        "codex": lambda: toml_files(name),
        "claude-code": lambda: json_files(name, False),
        "gemini": lambda: json_files(name, True),
        "goose": lambda: yaml_files(name),
        "crush": lambda: shell_files(name),
    }[kind]()


def others(text: str, kind: str, name: str) -> str:
    """The content besides our entry, in its order; no servers are as good as none."""
    client = CLIENTS[kind]
    content = dict(READERS[client.format].read(text) or {}) if text.strip() else {}
    held = {k: v for k, v in (content.pop(client.key, None) or {}).items() if k != name}
    return repr((content, held))


def is_empty(text: str, kind: str) -> bool:
    """Whether there is an object of no servers, which goes with the last one of them."""
    client = CLIENTS[kind]
    content = READERS[client.format].read(text) or {}
    return client.key in content and not content[client.key]


def blankless(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("kind", ["codex", "claude-code", "gemini", "goose", "crush"])
@settings(max_examples=40, deadline=None, phases=[Phase.generate])
@given(data=st.data())
def test_nobody_elses_part_changes(kind: str, data: st.DataObject) -> None:
    client = client_named(kind)
    name = data.draw(st.sampled_from(OURS))
    before = data.draw(files(kind, name))
    place = Place(client=client, scope="user", root=Path("/src"), name=name)
    fields = server_entry(place, command="/opt/heimdall-mcp -x", project=Path("/a'b \"c"))
    old = documents.find_entry(before, client, name)

    after = documents.put_entry(before, client, name, fields)
    entry = documents.find_entry(after, client, name)
    assert entry[client.command_key] == "/opt/heimdall-mcp"
    assert entry[client.args_key] == ["-x"]
    assert entry[client.env_key]["HEIMDALL_PROJECT"] == str(Path("/a'b \"c"))
    assert ((old or {}).get(client.env_key) or {}).keys() <= entry[client.env_key].keys()
    assert (old or {}).keys() <= entry.keys()
    assert others(after, kind, name) == others(before, kind, name)
    assert documents.put_entry(after, client, name, fields) == after

    left = documents.drop_entry(after, client, name)
    assert documents.find_entry(left, client, name) is None
    assert others(left, kind, name) == others(before, kind, name)
    if old is not None:
        assert blankless(left) == blankless(documents.drop_entry(before, client, name))
    elif others(before, kind, name) != others("", kind, name) and not is_empty(before, kind):
        # A trailing comma on a line of its own is put back without that line.
        as_it_was = blankless if kind == "gemini" else str.rstrip
        assert as_it_was(left) == as_it_was(before)
