from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heimdall.hooks.hosts import Event
from heimdall.hooks.payload import Payload, UnknownPayloadError, read

P = str(Path("/p").absolute())
SEEN: dict[str, dict[str, Any]] = {
    "claude-code": {
        "session_id": "6f0ebd1f",
        "transcript_path": "/home/me/.claude/projects/-p/6f0ebd1f.jsonl",
        "cwd": P,
        "hook_event_name": "SessionStart",
        "source": "startup",
    },
    "codex": {
        "session_id": "01a21ca5",
        "transcript_path": "/elsewhere/sessions/2026/11/27/rollout-2026-11-27T10-55-54-01a21ca5.jsonl",
        "cwd": P,
        "hook_event_name": "SessionStart",
        "model": "fake",
        "permission_mode": "bypassPermissions",
        "source": "startup",
    },
    "gemini": {
        "session_id": "a1899f38",
        "transcript_path": "/home/me/.gemini/tmp/p1/chats/session-2026-11-27T10-55-a1899f38.jsonl",
        "cwd": P,
        "hook_event_name": "SessionStart",
        "timestamp": "2026-11-27T10:55:57.168Z",
        "source": "startup",
    },
    "qwen-code": {
        "session_id": "940a35a1",
        "transcript_path": "/home/me/.qwen/projects/-p/chats/940a35a1.jsonl",
        "cwd": P,
        "hook_event_name": "SessionStart",
        "timestamp": "2026-11-27T10:57:28.222Z",
        "permission_mode": "auto",
        "source": "startup",
        "model": "fake",
    },
    "copilot-cli": {
        "sessionId": "4a16fecb",
        "timestamp": 1795777055189,
        "cwd": P,
        "source": "new",
        "initialPrompt": "remember that the sky is green",
    },
    "cursor": {
        "conversation_id": "c1",
        "hook_event_name": "sessionStart",
        "cursor_version": "2.1",
        "workspace_roots": [P],
    },
}
"""What the programs wrote, a session's start each; Cursor's as its documentation has it."""


def written(
    told: object,
    event: Event = Event.SESSION_START,
    variables: Mapping[str, str] | None = None,
    client: str = "",
) -> Payload:
    return read(json.dumps(told).encode(), event, variables or {}, client=client)


@pytest.mark.parametrize("host", SEEN)
def test_the_payload_tells_whose_it_is_whatever_the_variables_say(host: str) -> None:
    inherited = {"CLAUDECODE": "1", "COPILOT_CLI": "1", "GEMINI_SESSION_ID": "x"}
    payload = written(SEEN[host], variables=inherited)
    assert payload.host.name == host
    assert payload.folder == Path("/p")
    assert payload.session


def test_codex_keeps_no_transcript_of_some_sessions() -> None:
    assert written({**SEEN["codex"], "transcript_path": None}).host.name == "codex"


@pytest.mark.parametrize(
    ("variable", "host"),
    [
        ("CLAUDECODE", "claude-code"),
        ("COPILOT_CLI", "copilot-cli"),
        ("GEMINI_SESSION_ID", "gemini"),
        ("QWEN_CODE_SESSION_ID", "qwen-code"),
        ("NONE", "claude-code"),
    ],
)
def test_else_a_variable_tells(variable: str, host: str) -> None:
    told = {"session_id": "s", "cwd": P, "hook_event_name": "SessionStart"}
    assert written(told, variables={variable: "1"}).host.name == host


def test_a_client_that_is_named_is_believed() -> None:
    assert written(SEEN["claude-code"], client="codex").host.name == "codex"
    assert written({"cwd": P}, client="kiro").session == ""


@pytest.mark.parametrize("name", ["UserPromptSubmit", "prompt_submit"])
def test_cline_tells_a_prompt_in_a_member_of_its_own(name: str) -> None:
    told = {
        "hookName": name,
        "taskId": "1",
        "workspaceRoots": [P],
        "userPromptSubmit": {"prompt": "Remember the milk.", "attachments": []},
    }
    payload = written(told, Event.USER_PROMPT, client="cline-vscode")
    assert (payload.folder, payload.session, payload.prompt) == (
        Path("/p"),
        "1",
        "Remember the milk.",
    )


@pytest.mark.parametrize(
    "told",
    [
        None,
        [],
        "text",
        3,
        {},
        {"session_id": "s"},
        {"cwd": P},
        {"session_id": "s", "cwd": "relative"},
        {"session_id": 3, "cwd": P},
        {"session_id": "s", "cwd": P, "hook_event_name": "PreToolUse"},
        {"session_id": "s", "cwd": P, "hook_event_name": "Stop"},
    ],
)
def test_what_is_no_payload_of_the_event_is_unknown(told: object) -> None:
    with pytest.raises(UnknownPayloadError):
        written(told)


def test_a_client_that_does_not_exist_is_unknown() -> None:
    with pytest.raises(UnknownPayloadError, match="nobody"):
        written(SEEN["codex"], client="nobody")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from([*SEEN["qwen-code"], *SEEN["copilot-cli"], *SEEN["cursor"], "prompt"]),
        json_values,
    ),
    st.sampled_from(Event),
)
def test_any_object_is_read_or_refused(told: dict[str, Any], event: Event) -> None:
    try:
        payload = written(told, event)
    except UnknownPayloadError:
        return
    assert payload.folder.is_absolute()
    for text in (payload.session, payload.prompt, payload.message, payload.source):
        text.encode()


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with pytest.raises(UnknownPayloadError):
        read(content, Event.STOP, {})


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(UnknownPayloadError):
        read(b"[" * 100_000, Event.STOP, {})
