"""What is answered before the SDK is there, against what the SDK answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS

from heimdall.mcp_server.transport.opening import MODERN_VERSION, VERSIONS, Opening
from tests.support.mcp_raw import INITIALIZE
from tests.support.static_lists import ENVELOPE, FILE, METHODS, answers_of_the_sdk, lists_of_the_sdk

CLIENT = {"name": "raw", "version": "1"}
CAPABILITIES: dict[str, Any] = {
    "roots": {"listChanged": True},
    "sampling": {},
    "elicitation": {"form": {}, "url": {}},
}
META = "io.modelcontextprotocol/"
MODERN_METHODS = ("server/discover", *METHODS)


def initialize(**changes: Any) -> dict[str, Any]:
    return INITIALIZE | {"params": INITIALIZE["params"] | changes}


def request(method: str, request_id: Any = 2, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request_id, "method": method} | (
        {"params": params} if params else {}
    )


def answer(opening: Opening, message: Any) -> bytes | None:
    given = opening.answer(json.dumps(message).encode())
    return None if given is None else given.line


def test_the_file_is_what_the_sdk_says_of_this_version() -> None:
    assert FILE.read_text("utf-8") == lists_of_the_sdk(), (
        "the tools, prompts or templates changed: run 'python -m tests.support.static_lists'"
    )


def test_the_versions_are_those_of_the_sdk() -> None:
    assert VERSIONS == HANDSHAKE_PROTOCOL_VERSIONS
    assert (MODERN_VERSION,) == MODERN_PROTOCOL_VERSIONS


@pytest.mark.anyio
@pytest.mark.parametrize("version", [*VERSIONS, "2026-07-28", "1999-01-01"])
async def test_after_initialize_each_answer_is_what_the_sdk_says(version: str) -> None:
    requests = [
        initialize(protocolVersion=version, capabilities=CAPABILITIES),
        request("ping", "p", _meta={}),
        request("tools/list", "id with ä"),
        request("prompts/list", 3, _meta={"progressToken": "t"}),
        request("resources/templates/list", -4, _meta={"progressToken": 1}),
    ]
    opening = Opening()
    assert [answer(opening, each) for each in requests] == await answers_of_the_sdk(*requests)


@pytest.mark.anyio
@pytest.mark.parametrize("first", MODERN_METHODS)
@pytest.mark.parametrize("left_out", ["", f"{META}clientInfo"])
async def test_each_answer_of_the_new_era_is_what_the_sdk_says(first: str, left_out: str) -> None:
    envelope = {key: value for key, value in ENVELOPE.items() if key != left_out}
    methods = [first, *(method for method in MODERN_METHODS if method != first)]
    requests = [request(method, method, _meta=envelope) for method in methods]
    opening = Opening()
    assert [answer(opening, each) for each in requests] == await answers_of_the_sdk(*requests)


STRANGE = [
    initialize(capabilities={"roots": 5}),
    initialize(capabilities={"roots": {"listChanged": "banana"}}),
    initialize(capabilities=None),
    initialize(clientInfo={"name": "x"}),
    initialize(clientInfo={**CLIENT, "title": 5}),
    initialize(clientInfo={**CLIENT, "icons": 5}),
    initialize(protocolVersion=5),
    initialize(_meta=5),
    request("tools/list"),
    request("server/discover"),
    request("ping", _meta=ENVELOPE),
    request("tools/list", _meta=ENVELOPE | {f"{META}protocolVersion": "2031-01-01"}),
    request("tools/list", _meta=ENVELOPE | {f"{META}clientCapabilities": None}),
    request("tools/list", _meta={f"{META}protocolVersion": MODERN_VERSION}),
]


@pytest.mark.anyio
@pytest.mark.parametrize("strange", STRANGE)
async def test_what_the_sdk_refuses_is_left_to_it(strange: dict[str, Any]) -> None:
    (line,) = await answers_of_the_sdk(strange)
    assert "error" in json.loads(line)
    opening = Opening()
    assert answer(opening, strange) is None
    assert answer(opening, initialize()) is None, "and so is all that follows"


LATER = [
    request("tools/list", cursor="x"),
    request("tools/list", _meta=ENVELOPE),
    request("tools/list", _meta={"progressToken": 1.5}),
    request("server/discover"),
    request("tools/call", name="x"),
    request("tools/list", 1),
    request("tools/list", True),
    request("tools/list", "\ud83d"),
    request("tools/list", None),
    request("tools/list") | {"params": None},
    request("tools/list") | {"params": []},
    initialize() | {"id": 2},
    [request("tools/list")],
    {"jsonrpc": "2.0", "id": 2, "result": {}},
]


@pytest.mark.parametrize("later", LATER)
def test_what_leaves_something_to_decide_is_left_to_the_sdk(later: Any) -> None:
    opening = Opening()
    assert answer(opening, initialize()) is not None
    assert answer(opening, later) is None
    assert answer(opening, request("tools/list", 3)) is not None


CALL = request("tools/call", name="recall_memories", arguments={"query": "x"})


@pytest.mark.parametrize(
    ("before", "calls"),
    [
        ((initialize(),), 1),
        ((initialize(), request("tools/list", 3), CALL), 1),
        ((initialize(), request("resources/list", 3)), 0),
        ((initialize(capabilities=CAPABILITIES),), 0),
        ((), 0),
    ],
)
def test_a_call_is_answered_once_by_who_can_unless_roots_or_another_request_matter(
    before: tuple[Any, ...], calls: int
) -> None:
    asked: list[Any] = []

    def call(params: dict[str, Any]) -> dict[str, Any]:
        asked.append(params)
        return {"known": True}

    opening = Opening(call)
    given = [answer(opening, message) for message in (*before, CALL)]
    assert given.count(b'{"jsonrpc":"2.0","id":2,"result":{"known":true}}') == calls
    assert asked == [CALL["params"]] * calls


def test_roots_do_not_matter_where_the_project_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEIMDALL_PROJECT", "somewhere")
    opening = Opening(lambda _: {})
    assert answer(opening, initialize(capabilities=CAPABILITIES))
    assert answer(opening, CALL)


def test_each_list_is_given_once_and_notifications_decide_nothing() -> None:
    opening = Opening()
    assert answer(opening, {"jsonrpc": "2.0", "method": "notifications/initialized"}) is None
    first = opening.answer(json.dumps(initialize()).encode())
    assert first is not None
    assert (first.first, first.request_id) == (True, 1)
    second = opening.answer(json.dumps(request("tools/list")).encode())
    assert second is not None
    assert (second.first, second.request_id) == (False, 2)
    assert answer(opening, request("tools/list", 3)) is None
    assert answer(opening, request("ping")) is not None


@pytest.mark.parametrize("line", [b"", b"nonsense", b"[" * 100_000, b'"initialize"', b"5", b"{}"])
def test_every_other_line_is_left_to_the_sdk(line: bytes) -> None:
    assert Opening().answer(line) is None


@given(st.binary(max_size=200))
def test_no_line_breaks_it(line: bytes) -> None:
    assert Opening().answer(line) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(json_values, json_values)
def test_no_parameters_break_it(params: Any, request_id: Any) -> None:
    opening = Opening()
    for method in ("initialize", "tools/list", "ping"):
        line = json.dumps({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params})
        given = opening.answer(line.encode())
        assert given is None or json.loads(given.line)["id"] == request_id
