from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heimdall.hooks.turns import Speaker, folder, turns

AT = "2026-11-27T10:55:53.219Z"
SAID = "remember that the sky is green"
ANSWERED = "It is green."

LINES: dict[str, list[tuple[dict[str, Any], list[tuple[Speaker, str]]]]] = {
    "claude-code": [
        (
            {"type": "user", "message": {"role": "user", "content": SAID}, "timestamp": AT},
            [(Speaker.USER, SAID)],
        ),
        (
            {
                "type": "user",
                "message": {"role": "user", "content": [{"type": "text", "text": SAID}]},
            },
            [(Speaker.USER, SAID)],
        ),
        (
            {
                "isSidechain": False,
                "message": {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "hm"},
                        {"type": "text", "text": ANSWERED},
                        {"type": "tool_use", "input": {"text": "no"}},
                    ],
                },
                "type": "assistant",
            },
            [(Speaker.ASSISTANT, ANSWERED)],
        ),
        (
            {
                "type": "user",
                "isCompactSummary": True,
                "message": {"role": "user", "content": "What was done"},
            },
            [(Speaker.SUMMARY, "What was done")],
        ),
        ({"type": "user", "isMeta": True, "message": {"role": "user", "content": SAID}}, []),
        ({"type": "user", "isSidechain": True, "message": {"role": "user", "content": SAID}}, []),
        (
            {
                "type": "user",
                "message": {"role": "user", "content": [{"type": "tool_result", "content": SAID}]},
            },
            [],
        ),
        (
            {
                "type": "user",
                "message": {"role": "user", "content": f"<command-name>{SAID}</command-name>"},
            },
            [],
        ),
        ({"type": "attachment", "attachment": {"text": SAID}}, []),
    ],
    "qwen-code": [
        (
            {
                "type": "user",
                "provenance": "real_user",
                "message": {"role": "user", "parts": [{"text": SAID}]},
            },
            [(Speaker.USER, SAID)],
        ),
        (
            {
                "type": "assistant",
                "provenance": "assistant_output",
                "message": {
                    "role": "model",
                    "parts": [{"text": "hm", "thought": True}, {"text": ANSWERED}],
                },
            },
            [(Speaker.ASSISTANT, ANSWERED)],
        ),
        (
            {
                "type": "user",
                "provenance": "system",
                "message": {"role": "user", "parts": [{"text": SAID}]},
            },
            [],
        ),
    ],
    "codex": [
        (
            {
                "timestamp": AT,
                "type": "event_msg",
                "payload": {
                    "type": "item_completed",
                    "item": {"type": "UserMessage", "content": [{"type": "text", "text": SAID}]},
                },
            },
            [(Speaker.USER, SAID)],
        ),
        (
            {
                "type": "event_msg",
                "payload": {
                    "type": "item_completed",
                    "item": {
                        "type": "AgentMessage",
                        "content": [{"type": "Text", "text": ANSWERED}],
                    },
                },
            },
            [(Speaker.ASSISTANT, ANSWERED)],
        ),
        (
            {"type": "event_msg", "payload": {"type": "user_message", "message": SAID}},
            [(Speaker.USER, SAID)],
        ),
        (
            {"type": "compacted", "payload": {"message": "What was done"}},
            [(Speaker.SUMMARY, "What was done")],
        ),
        (
            {
                "type": "response_item",
                "payload": {
                    "type": "message",
                    "role": "user",
                    "content": [{"type": "input_text", "text": SAID}],
                },
            },
            [],
        ),
    ],
    "gemini": [
        (
            {"id": "1", "type": "user", "content": [{"text": SAID}], "timestamp": AT},
            [(Speaker.USER, SAID)],
        ),
        ({"id": "2", "type": "gemini", "content": ANSWERED}, [(Speaker.ASSISTANT, ANSWERED)]),
        ({"$set": {"messages": [{"type": "user", "content": [{"text": SAID}]}]}}, []),
        ({"type": "info", "content": SAID}, []),
    ],
    "copilot-cli": [
        (
            {"type": "user.message", "data": {"content": SAID, "transformedContent": "x"}},
            [(Speaker.USER, SAID)],
        ),
        (
            {"type": "assistant.message", "data": {"content": ANSWERED}},
            [(Speaker.ASSISTANT, ANSWERED)],
        ),
        ({"type": "system.message", "data": {"content": SAID}}, []),
        ({"type": "hook.start", "data": {"input": {"prompt": SAID}}}, []),
    ],
}
"""Lines as the programs wrote them, shortened."""


@pytest.mark.parametrize(
    ("host", "line", "expected"),
    [(host, line, expected) for host, lines in LINES.items() for line, expected in lines],
)
def test_what_a_line_says(
    host: str, line: dict[str, Any], expected: list[tuple[Speaker, str]]
) -> None:
    said = list(turns(json.dumps(line).encode(), host))
    assert [(turn.speaker, turn.text) for turn in said] == expected
    if said and line.get("timestamp"):
        assert said[0].at is not None


@pytest.mark.parametrize(
    ("host", "line"),
    [
        ("claude-code", {"type": "user", "cwd": "/p"}),
        ("codex", {"type": "session_meta", "payload": {"cwd": "/p"}}),
        ("copilot-cli", {"type": "session.start", "data": {"context": {"cwd": "/p"}}}),
        ("qwen-code", {"cwd": "/p"}),
    ],
)
def test_the_folder_of_a_conversation(host: str, line: dict[str, Any]) -> None:
    assert folder(json.dumps(line).encode(), host) == "/p"


json_values = st.recursive(
    st.none() | st.integers() | st.text() | st.sampled_from(["user", "text", "assistant"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "message",
                    "content",
                    "payload",
                    "item",
                    "data",
                    "role",
                    "text",
                    "timestamp",
                    "cwd",
                    "parts",
                ]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@given(json_values, st.sampled_from([*LINES, "nobody"]))
def test_any_line_is_read(value: object, host: str) -> None:
    line = json.dumps(value).encode()
    for turn in turns(line, host):
        turn.text.encode()
    folder(line, host)


@pytest.mark.parametrize("line", [b"", b"\xff", b"[" * 100_000, b"1", b'{"a":', b'"text"'])
def test_what_is_no_line_says_nothing(line: bytes) -> None:
    for host in LINES:
        assert list(turns(line, host)) == []
        assert folder(line, host) == ""
