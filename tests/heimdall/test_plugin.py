"""The plugin is what the code's tables say, and fits the distribution."""

from __future__ import annotations

import json
import re

import pytest

from heimdall.hooks.hosts import HOSTS, Event
from heimdall.hooks.run import parse
from tests.support.checkout import ROOT
from tests.support.plugin import files

FILES = files()


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_as_it_would_be_written(name: str) -> None:
    assert (ROOT / name).read_bytes().decode() == FILES[name], "python -m tests.support.plugin"


@pytest.mark.parametrize(("folder", "host"), [("assistants", "claude-code"), ("gemini", "gemini")])
def test_hooks_are_bare_commands_that_exist(folder: str, host: str) -> None:
    hooks = json.loads(FILES[f"heimdall/plugin/{folder}/hooks/hooks.json"])["hooks"]
    events: set[Event] = set()
    for name, groups in hooks.items():
        words = groups[0]["hooks"][0]["command"].split()
        assert words[:2] == ["heimdall", "hook"]
        event, client = parse(words[2:])
        assert HOSTS[host].events[event] == name
        assert client == ""  # several hosts read this file
        events.add(event)
    assert events == {*HOSTS[host].events}


def test_the_registrys_entry_fits_the_package() -> None:
    entry = json.loads(FILES["server.json"])
    assert f"mcp-name: {entry['name']}" in (ROOT / "README.md").read_text("utf-8")
    assert len(entry["description"]) <= 100
    assert re.fullmatch(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+", entry["name"])
