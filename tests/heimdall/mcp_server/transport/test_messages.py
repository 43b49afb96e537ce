from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp_types import (
    INVALID_REQUEST,
    PARSE_ERROR,
    JSONRPCMessage,
    JSONRPCNotification,
    JSONRPCRequest,
)
from mcp_types.jsonrpc import JSONRPCResponse

from heimdall.mcp_server.transport.messages import BadMessageError, decode, encode


def test_a_request_is_decoded() -> None:
    message = decode(b'{"jsonrpc":"2.0","id":"a","method":"ping","params":{"x":1}}')
    assert message == JSONRPCRequest(jsonrpc="2.0", id="a", method="ping", params={"x": 1})


def test_bytes_that_are_no_utf8_cost_only_themselves() -> None:
    message = decode(b'{"jsonrpc":"2.0","method":"notifications/x","params":{"x":"a\xff\xfeb"}}')
    assert isinstance(message, JSONRPCNotification)
    assert message.params == {"x": "a\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}b"}


@pytest.mark.parametrize(
    ("line", "code", "request_id"),
    [
        (b"hello", PARSE_ERROR, None),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping"', PARSE_ERROR, None),
        (b"[" * 100_000, PARSE_ERROR, None),
        (b'{"jsonrpc":"2.0","id":1,"method":"\\ud800"}', PARSE_ERROR, None),
        (b"[]", INVALID_REQUEST, None),
        (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', INVALID_REQUEST, None),
        (b"17", INVALID_REQUEST, None),
        (b"null", INVALID_REQUEST, None),
        (b'{"jsonrpc":"2.0","id":7}', INVALID_REQUEST, 7),
        (b'{"jsonrpc":"2.0","id":"x","method":5}', INVALID_REQUEST, "x"),
        (b'{"jsonrpc":"1.0","id":3,"method":"ping"}', INVALID_REQUEST, 3),
        (b'{"jsonrpc":"2.0","id":3,"method":"ping","params":[1]}', INVALID_REQUEST, 3),
        (b'{"jsonrpc":"2.0","id":true,"method":"ping","params":7}', INVALID_REQUEST, None),
        (b'{"jsonrpc":"2.0","id":{"a":1},"method":"ping","params":7}', INVALID_REQUEST, None),
    ],
)
def test_what_is_no_message_is_answered(line: bytes, code: int, request_id: object) -> None:
    with pytest.raises(BadMessageError) as caught:
        decode(line)
    assert caught.value.answer is not None
    answer = json.loads(encode(caught.value.answer))
    assert (answer["id"], answer["error"]["code"]) == (request_id, code)


def test_a_broken_response_is_not_answered() -> None:
    with pytest.raises(BadMessageError) as caught:
        decode(b'{"jsonrpc":"2.0","id":1,"result":5}')
    assert caught.value.answer is None
    assert "skipped" in str(caught.value)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_message_or_a_refusal(line: bytes) -> None:
    message: JSONRPCMessage | None
    try:
        message = decode(line)
    except BadMessageError as error:
        message = error.answer
    assert message is None or b"\n" not in encode(message)


@given(st.text())
def test_any_text_stays_on_its_line(text: str) -> None:
    line = encode(JSONRPCResponse(jsonrpc="2.0", id=1, result={"text": text}))
    assert b"\n" not in line
    assert json.loads(line)["result"]["text"] == text


def test_what_json_can_not_carry_becomes_an_error() -> None:
    answer = json.loads(encode(JSONRPCResponse(jsonrpc="2.0", id=5, result={"text": "\ud800"})))
    assert answer["id"] == 5
    assert "can't be written as JSON" in answer["error"]["message"]
