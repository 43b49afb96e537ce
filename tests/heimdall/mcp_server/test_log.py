from __future__ import annotations

import logging
from pathlib import Path

import pytest

from heimdall.cognitive_system.logs import Redacting
from heimdall.mcp_server.log import Sparing
from tests.support.mcp_raw import RawServer
from tests.support.places import DATA

pytestmark = pytest.mark.slow

SECRET = "The launch code is 48151623."


@pytest.fixture
def logs(home: Path) -> Path:
    return home / DATA / "logs"


def use(server: RawServer) -> None:
    server.initialize()
    assert not server.call("store_memory", text=SECRET).get("isError")
    assert not server.call("recall_memories", query="the launch code 48151623").get("isError")
    assert server.call("delete_memory", memory_id="48151623")["isError"]
    assert server.end() == 0


def test_no_memory_and_no_question_is_logged(project: Path, logs: Path) -> None:
    with RawServer(environment={"HEIMDALL_LOG_LEVEL": "debug"}) as server:
        use(server)
        assert "48151623" not in server.stderr
    (log,) = logs.iterdir()
    assert log.name.startswith("heimdall-mcp.")
    assert f".{server.process.pid}.log" in log.name
    assert "the server begins" in log.read_text()
    assert "48151623" not in log.read_text()


def test_stderr_has_warnings_alone(project: Path, logs: Path) -> None:
    with RawServer() as server:
        use(server)
        assert "the server begins" not in server.stderr
    assert len(list(logs.iterdir())) == 1


def test_a_level_that_is_none_keeps_no_server_from_starting(project: Path, logs: Path) -> None:
    with RawServer(environment={"HEIMDALL_LOG_LEVEL": "loud"}) as server:
        use(server)
        assert (
            "HEIMDALL_LOG_LEVEL='loud': expected one of debug, info, warning, error, off; info is taken"
            in server.stderr
        )
    assert len(list(logs.iterdir())) == 1


def test_off_is_off(project: Path, logs: Path) -> None:
    with RawServer(environment={"HEIMDALL_LOG_LEVEL": "off"}) as server:
        use(server)
    assert not logs.exists()


def test_whoever_makes_errors_fills_no_disk(capsys: pytest.CaptureFixture[str]) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(Redacting("%(message)s"))
    handler.addFilter(Sparing())
    logger = logging.Logger("flooded")
    logger.addHandler(handler)
    for number in range(1000):
        logger.warning("bad host %d \x1b[2J\nNote: a", number)
    logger.warning("something else")
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert said.count("bad host") == 10
    assert said.count("more of these are left out") == 1
    assert said.endswith("something else\n")
    assert "\nNote" not in said
