from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from heimdall.mcp_server.transport.descriptors import Wire
from heimdall.mcp_server.transport.handshake import Handshake
from heimdall.mcp_server.transport.lines import LONGEST_LINE, TooLongError
from tests.support.mcp_raw import INITIALIZE, VERSION, RawServer
from tests.support.waiting import wait_until

FIRST = json.dumps(INITIALIZE).encode()
READY = b'{"jsonrpc":"2.0","method":"notifications/initialized"}'
LIST = b'{"jsonrpc":"2.0","id":2,"method":"tools/list"}'
CALL = b'{"jsonrpc":"2.0","id":3,"method":"resources/list"}'
ASK = b'{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"x","arguments":{}}}'
A_WEEK = 600_000.0


class Client:
    """The client's end of two pipes."""

    def __init__(self) -> None:
        self.incoming, self._to = os.pipe()
        self._from, self.outgoing = os.pipe()
        self._open = {self.incoming, self._to, self._from, self.outgoing}

    def handshake(self) -> Handshake:
        return Handshake(Wire(self.incoming, self.outgoing))

    def say(self, *lines: bytes) -> None:
        os.write(self._to, b"".join(line + b"\n" for line in lines))

    def hear(self) -> Any:
        read = b""
        while not read.endswith(b"\n"):
            read += os.read(self._from, 1)
        return json.loads(read)

    def hang_up(self) -> None:
        self._close(self._to)

    def be_gone(self) -> None:
        self._close(self._from)

    def close(self) -> None:
        self._close(self._to, self._from)
        # Who still read from the number of an end would take what the next test's client says.
        for thread in threading.enumerate():
            if thread.name == "heimdall-handshake":
                thread.join()
        self._close(self.incoming, self.outgoing)

    def _close(self, *ends: int) -> None:
        for end in self._open.intersection(ends):
            self._open.remove(end)
            os.close(end)


@pytest.fixture
def client() -> Iterator[Client]:
    client = Client()
    yield client
    client.close()


@pytest.fixture
def blocked(project: Path, home: Path) -> dict[str, str]:
    """The environment of a server that can't import the SDK before there is a file `GO`."""
    blocked = home / "blocked"
    (blocked / "mcp").mkdir(parents=True)
    (blocked / "mcp" / "__init__.py").write_text(
        "import os, time\nwhile not os.path.exists(os.environ['GO']): time.sleep(0.01)\n"
        "import importlib, sys\nsys.path.remove(os.environ['BLOCKED']); del sys.modules['mcp']\nimport mcp\n"
        "sys.modules[__name__] = mcp\n"
    )
    return {
        "PYTHONPATH": f"{blocked}{os.pathsep}{os.environ['PYTHONPATH']}",
        "BLOCKED": str(blocked),
        "GO": str(home / "go"),
    }


def test_the_first_line_is_handed_on_and_the_rest_stays_to_be_read(client: Client) -> None:
    client.say(FIRST, b"second")
    handshake = client.handshake()
    assert client.hear()["result"]["protocolVersion"] == VERSION
    assert handshake.next_line() == FIRST
    assert handshake.answered == 1
    assert handshake.next_line() == b"second"


def test_what_nobody_read_in_time_is_left_to_who_takes_over(client: Client) -> None:
    handshake = client.handshake()
    reader = threading.Thread(target=lambda: lines.append(handshake.next_line()))
    lines: list[bytes | None] = []
    reader.start()
    wait_until(lambda: handshake._taken_over)
    client.say(FIRST)
    reader.join()
    assert (lines, handshake.answered) == ([FIRST], None)


def test_lists_are_answered_until_somebody_else_does(client: Client) -> None:
    handshake = client.handshake()
    client.say(FIRST)
    assert client.hear()["id"] == 1
    client.say(READY, CALL, LIST)
    assert len(client.hear()["result"]["tools"]) == 9, "also behind what has to wait"
    assert [handshake.next_line() for _ in range(3)] == [FIRST, READY, CALL]
    client.say(LIST, READY)
    assert [handshake.next_line() for _ in range(2)] == [LIST, READY]
    client.hang_up()
    assert handshake.next_line() is None


def test_what_is_too_long_is_told_in_its_place(client: Client) -> None:
    handshake = client.handshake()
    long = threading.Thread(target=client.say, args=(FIRST, b"x" * (LONGEST_LINE + 1), READY))
    long.start()
    assert handshake.next_line() == FIRST
    with pytest.raises(TooLongError):
        handshake.next_line()
    assert handshake.next_line() == READY
    long.join()


def test_a_flood_is_not_kept_in_memory(client: Client) -> None:
    handshake = client.handshake()
    line = b"x" * 100_000
    flood = threading.Thread(target=client.say, args=(FIRST, *[line] * 100))
    flood.start()
    flood.join(2)
    assert flood.is_alive(), "it is read when somebody asks for it"
    assert [handshake.next_line() for _ in range(101)] == [FIRST, *[line] * 100]
    flood.join()


def test_a_client_that_is_gone_is_found_out_later(client: Client) -> None:
    client.be_gone()
    client.say(FIRST)
    handshake = client.handshake()
    assert handshake.next_line() is not None
    assert handshake.answered is None


def test_a_client_that_says_nothing(client: Client) -> None:
    client.hang_up()
    handshake = client.handshake()
    assert handshake.next_line() is None
    assert handshake.next_line() is None


def test_a_call_is_answered_as_long_as_nobody_else_is_needed(client: Client) -> None:
    client.say(FIRST, READY, ASK, CALL, ASK, READY)
    handshake = client.handshake()
    handshake.until_needed(lambda params: {"asked": params}, A_WEEK)
    assert client.hear()["id"] == 1
    assert client.hear()["result"] == {"asked": {"name": "x", "arguments": {}}}
    assert [handshake.next_line() for _ in range(5)] == [FIRST, READY, CALL, ASK, READY]


@pytest.mark.parametrize("lines", [[], [FIRST, b"x" * (LONGEST_LINE + 1)], [FIRST, ASK]])
def test_somebody_else_is_needed_at_the_end_for_what_is_broken_and_for_what_is_declined(
    client: Client, lines: list[bytes]
) -> None:
    handshake = client.handshake()
    talking = threading.Thread(target=client.say if lines else client.hang_up, args=lines)
    talking.start()
    handshake.until_needed(lambda _: None, A_WEEK)
    talking.join()
    if lines[1:] == [ASK]:
        assert [handshake.next_line() for _ in lines] == lines


def test_after_a_while_nobody_is_called_any_more(client: Client) -> None:
    handshake = client.handshake()
    handshake.until_needed(lambda _: {}, 0)
    client.say(FIRST, ASK)
    assert client.hear()["id"] == 1
    assert [handshake.next_line() for _ in range(2)] == [FIRST, ASK]


@pytest.mark.slow
def test_what_is_static_is_answered_once_and_nothing_heavy_is_loaded_for_it(
    blocked: dict[str, str],
) -> None:
    """By the order of imports, not by the clock: the answers are on the wire while the SDK is not imported yet."""
    with RawServer(environment=blocked) as server:
        assert server.initialize()["result"]["serverInfo"]["name"] == "heimdall"
        for method, what in (
            ("tools/list", "tools"),
            ("prompts/list", "prompts"),
            ("resources/templates/list", "resourceTemplates"),
        ):
            assert server.request(method)["result"][what]
        assert server.request("ping")["result"] == {}
        Path(blocked["GO"]).touch()
        assert len(server.request("tools/list")["result"]["tools"]) == 9
        assert server.request("resources/list")["result"]["resources"]
        assert server.end() == 0
        assert sum("serverInfo" in message.get("result", {}) for message in server.messages) == 1
