from __future__ import annotations

import json
from collections.abc import Sequence

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

from heimdall.mcp_server.transport.lines import TooLongError
from heimdall.mcp_server.transport.messages import BadMessageError, decode, encode, too_long


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
        (b'{"jsonrpc":"2.0","id":1,"method":"ping"', PARSE_ERROR, 1),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"id":2', PARSE_ERROR, 1),
        (b'{"jsonrpc":"2.0","id":"a\\"b","method":"pi', PARSE_ERROR, 'a"b'),
        (b'{"jsonrpc":"2.0","method":"ping","params":{"x":"\\"id\\":7"},"id":8,}', PARSE_ERROR, 8),
        (b'{"jsonrpc":"2.0","id":1,"id":2,"method":"ping","params":7}', INVALID_REQUEST, 2),
        (b'{"id":1,"method":"ping","params":{"x":' + b"9" * 5000 + b"}}", PARSE_ERROR, 1),
        (b'{"id":1,"method":"ping","params":' + b"[" * 5000 + b"]" * 5000 + b"}", PARSE_ERROR, 1),
        (b'{"jsonrpc":"2.0","id":' + b"9" * 5000 + b',"method":"ping"}', PARSE_ERROR, None),
        (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', INVALID_REQUEST, 1.5),
        (b'{"jsonrpc":"2.0","id":1e999,"method":"ping"}', INVALID_REQUEST, None),
        (b'{"jsonrpc":"2.0","id":NaN,"method":"ping"}', INVALID_REQUEST, None),
        (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', INVALID_REQUEST, None),
        (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', INVALID_REQUEST, None),
        (b'{"jsonrpc":"2.0","id":[],"method":"ping"}', INVALID_REQUEST, None),
        (b"[" * 100_000, PARSE_ERROR, None),
        (b"[]", INVALID_REQUEST, None),
        (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', INVALID_REQUEST, 1),
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
    (answer,) = [json.loads(encode(answer)) for answer in caught.value.answers]
    assert (answer["id"], answer["error"]["code"]) == (request_id, code)


def test_a_broken_response_is_not_answered() -> None:
    with pytest.raises(BadMessageError) as caught:
        decode(b'{"jsonrpc":"2.0","id":1,"result":5}')
    assert caught.value.answers == ()
    assert "skipped" in str(caught.value)


def test_each_request_of_a_batch_is_answered() -> None:
    batch = [{"id": 1, "method": "a"}, {"method": "b"}, {"id": "c"}, {"id": 9, "result": {}}, 7, []]
    with pytest.raises(BadMessageError, match="batches") as caught:
        decode(json.dumps(batch).encode())
    assert [answer.id for answer in caught.value.answers] == [1, "c"]
    with pytest.raises(BadMessageError) as caught:
        decode(b"[" + b'{"id":1,"method":"a"},' * 100_000)
    assert len(caught.value.answers) <= 1000


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (r"\ud83d", "\N{REPLACEMENT CHARACTER}"),
        (r"\ude00\ud83d\ud83d\ude00", "\N{REPLACEMENT CHARACTER}" * 2 + "\N{GRINNING FACE}"),
        (r"\uD83D", "\N{REPLACEMENT CHARACTER}"),
        (r"\\ud83d", r"\ud83d"),
        (r"\\\ud83d", "\\\N{REPLACEMENT CHARACTER}"),
        (r"\"\ud83d", '"\N{REPLACEMENT CHARACTER}'),
    ],
)
def test_half_a_character_is_replaced_wherever_it_stands(given: str, read: str) -> None:
    text = f"""{{"jsonrpc":"2.0","id":"{given}","method":"ping","params":{{"{given}":[{{"x":"{given}"}}]}}}}"""
    assert decode(text.encode()) == JSONRPCRequest(
        jsonrpc="2.0", id=read, method="ping", params={read: [{"x": read}]}
    )
    assert decode(b"\xef\xbb\xbf" + text.encode()) == decode(text.encode())


@given(
    st.dictionaries(
        st.sampled_from(["jsonrpc", "method", "params", "x"]),
        st.recursive(
            st.text() | st.floats() | st.integers(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("id"), inner),
        ),
    ),
    st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    st.sampled_from([b"", b"}", b",", b" x", b'"', b"[", b"\xff"]),
    st.booleans(),
)
def test_a_request_with_an_id_is_answered_with_it(
    message: dict[str, object], request_id: int | str, rest: bytes, first: bool
) -> None:
    members = {"id": request_id, **message} if first else {**message, "id": request_id}
    line = json.dumps(members).encode() + rest
    messages: Sequence[JSONRPCMessage]
    try:
        messages = [decode(line)]
    except BadMessageError as error:
        messages = error.answers
    assert request_id in [json.loads(encode(message))["id"] for message in messages]


@pytest.mark.parametrize(
    ("begin", "end", "request_id"),
    [
        (b'{"jsonrpc":"2.0","id":7,"method":"ping","params":{"x":"', b'"}}', 7),
        (b'{"method":"ping","params":{"x":"', b'"},"jsonrpc":"2.0","id":"a"}', "a"),
        (b'{"method":"ping","params":{"x":"', b'"},"id": 9, "jsonrpc": "2.0"} ', 9),
        (b'{"method":"ping","params":{"x":"', b'","id":9}}', None),
        (b'{"method":"ping","params":{"x":"', b',\\"id":9}', None),
        (b'{"method":"notifications/x","params":{"x":"', b'"}}', None),
    ],
)
def test_a_message_that_is_too_long_is_answered_with_its_id(
    begin: bytes, end: bytes, request_id: object
) -> None:
    answer = json.loads(encode(too_long(TooLongError(99, begin + b"y" * 9000, b"y" * 9000 + end))))
    assert answer["id"] == request_id
    assert "longer than 99 bytes" in answer["error"]["message"]


@given(st.binary(max_size=300))
def test_any_bytes_are_a_message_or_a_refusal(line: bytes) -> None:
    messages: Sequence[JSONRPCMessage]
    try:
        messages = [decode(line)]
    except BadMessageError as error:
        messages = error.answers
    assert all(b"\n" not in encode(message) for message in messages)


@given(st.text())
def test_any_text_stays_on_its_line(text: str) -> None:
    line = encode(JSONRPCResponse(jsonrpc="2.0", id=1, result={"text": text}))
    assert b"\n" not in line
    assert json.loads(line)["result"]["text"] == text


def test_what_json_can_not_carry_becomes_an_error() -> None:
    answer = json.loads(encode(JSONRPCResponse(jsonrpc="2.0", id=5, result={"text": "\ud800"})))
    assert answer["id"] == 5
    assert "can't be written as JSON" in answer["error"]["message"]
