from __future__ import annotations

import json
from typing import Any

import pytest

from heimdall.hooks.hosts import HOSTS, Event, answer
from heimdall.mcp_clients.clients import CLIENTS

TEXT = 'a "word"\n> Ω'


def nested(name: str) -> dict[str, Any]:
    return {"hookSpecificOutput": {"hookEventName": name, "additionalContext": TEXT}}


@pytest.mark.parametrize(
    ("host", "event", "expected"),
    [
        ("claude-code", Event.SESSION_START, nested("SessionStart")),
        ("claude-code", Event.USER_PROMPT, nested("UserPromptSubmit")),
        ("codex", Event.SESSION_START, nested("SessionStart")),
        ("codex", Event.USER_PROMPT, nested("UserPromptSubmit")),
        ("qwen-code", Event.USER_PROMPT, nested("UserPromptSubmit")),
        ("gemini", Event.SESSION_START, nested("SessionStart")),
        ("gemini", Event.USER_PROMPT, nested("BeforeAgent")),
        ("copilot-cli", Event.SESSION_START, {"additionalContext": TEXT}),
        ("copilot-cli", Event.USER_PROMPT, {"additionalContext": TEXT}),
        ("cursor", Event.SESSION_START, {"additional_context": TEXT}),
        ("cline-vscode", Event.USER_PROMPT, {"cancel": False, "contextModification": TEXT}),
    ],
)
def test_an_answer_has_just_the_hosts_own_form(
    host: str, event: Event, expected: dict[str, Any]
) -> None:
    given = answer(HOSTS[host], event, "", TEXT)
    assert given.isascii()
    assert json.loads(given) == expected


@pytest.mark.parametrize("host", ["opencode", "kilo", "amp", "kiro"])
def test_some_take_the_text_as_it_is(host: str) -> None:
    assert answer(HOSTS[host], Event.SESSION_START, "", TEXT) == TEXT


def test_the_events_name_is_the_one_that_was_asked_with() -> None:
    given = json.loads(answer(HOSTS["claude-code"], Event.SESSION_START, "Other", TEXT))
    assert given["hookSpecificOutput"]["hookEventName"] == "Other"


def test_a_compaction_takes_instructions_from_claude_codes_hook_alone() -> None:
    taking = {name for name, host in HOSTS.items() if answer(host, Event.PRE_COMPACT, "", TEXT)}
    assert taking == {"claude-code", "opencode", "kilo"}
    assert answer(HOSTS["claude-code"], Event.PRE_COMPACT, "", TEXT) == TEXT


@pytest.mark.parametrize("host", HOSTS.values(), ids=lambda host: host.name)
def test_the_table_is_sound(host: Any) -> None:
    assert host.name in CLIENTS
    assert host.answers.keys() <= host.events.keys()
    for event in Event:
        assert answer(host, event, "", "") == ""
        if event in {Event.POST_COMPACT, Event.STOP, Event.SESSION_END}:
            assert answer(host, event, "x", TEXT) == ""
