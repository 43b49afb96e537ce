"""The model in the background, with a real download."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from cognitive_memory.project_memory import ProjectMemory
from heimdall.errors import HeimdallError
from heimdall.mcp_server.model_loader import ModelLoader, ModelState, ModelStatus
from tests.support.faults import Fault, HoldAfter, Instead
from tests.support.mcp_raw import RawServer
from tests.support.servers import plain_mirror
from tests.support.small_model import SmallModel
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.slow


def test_progress_and_log_messages_tell_how_far_the_download_is(
    fetching: dict[str, str], small: SmallModel
) -> None:
    held = HoldAfter(50_000)
    with plain_mirror(small.directory, faults=[Fault(held, path="/v1/*")]) as mirror:
        with RawServer(environment={**fetching, "HEIMDALL_MODELS_MIRROR": mirror.url}) as server:
            server.initialize()
            server.wait(lambda message: "fetching models-v1.zip" in str(message))
            status = server.call("memory_status")["structuredContent"]
            assert (status["system_status"], status["model"]["state"]) == ("degraded", "fetching")
            assert (
                0
                <= status["model"]["done"]
                <= status["model"]["total"]
                == small.asset_path.stat().st_size
            )
            waiting = server.begin(
                "tools/call",
                name="memory_status",
                arguments={"wait_for_model": True},
                _meta={"progressToken": "token"},
            )
            assert server.request("ping")["result"] == {}
            server.wait(lambda message: message.get("method") == "notifications/progress")
            held.go.set()
            ended = server.response(waiting)["result"]["structuredContent"]
            assert ended["model"]["state"] == "ready"
            assert ended["system_status"] == "healthy"
            assert server.end() == 0
        reports = server.notifications("notifications/progress")
        assert {report["progressToken"] for report in reports} == {"token"}
        steps = [report["progress"] for report in reports]
        assert steps == sorted(set(steps))
        assert all(report["total"] == 1.0 for report in reports)
        logged = [
            params["data"]["state"] for params in server.notifications("notifications/message")
        ]
        assert logged[0] == "fetching"
        assert logged[-1] == "ready"


def test_ready_is_told_before_the_answer_that_waited_for_it(
    fetching: dict[str, str], small: SmallModel
) -> None:
    with RawServer(environment={**fetching, "HEIMDALL_MODELS_MIRROR": small.mirror}) as server:
        server.initialize()
        waiting = server.begin(
            "tools/call", name="memory_status", arguments={"wait_for_model": True}
        )
        server.response(waiting)
        assert server.end() == 0
    told = [
        message.get("id") or message["params"]["data"]["state"]
        for message in server.messages
        if message.get("id") == waiting or message.get("method") == "notifications/message"
    ]
    assert told[-2:] == ["ready", waiting]


@pytest.mark.parametrize("wanted", [True, False])
def test_since_2026_a_request_asks_for_its_messages(
    fetching: dict[str, str], small: SmallModel, *, wanted: bool
) -> None:
    name = "io.modelcontextprotocol/"
    meta = {
        f"{name}protocolVersion": "2026-07-28",
        f"{name}clientInfo": {"name": "raw", "version": "1"},
        f"{name}clientCapabilities": {},
        **({f"{name}logLevel": "info", "progressToken": 7} if wanted else {}),
    }
    held = HoldAfter(50_000)
    with (
        plain_mirror(small.directory, faults=[Fault(held, path="/v1/*")]) as mirror,
        RawServer(environment={**fetching, "HEIMDALL_MODELS_MIRROR": mirror.url}) as server,
    ):
        arguments = {"wait_for_model": True}
        asked = server.begin("tools/call", name="memory_status", arguments=arguments, _meta=meta)
        if wanted:
            server.wait(lambda message: message.get("method") == "notifications/progress")
        held.go.set()
        answer = server.response(asked)
        assert answer["result"]["structuredContent"]["model"]["state"] == "ready"
        assert answer["result"]["resultType"] == "complete"
        assert server.end() == 0
    logged = [params["data"]["state"] for params in server.notifications("notifications/message")]
    assert logged[:1] + logged[-1:] == (["fetching", "ready"] if wanted else [])
    assert bool(server.notifications("notifications/progress")) == wanted


def test_a_cancelled_wait_ends_and_the_download_goes_on(
    fetching: dict[str, str], small: SmallModel
) -> None:
    held = HoldAfter(50_000)
    with (
        plain_mirror(small.directory, faults=[Fault(held, path="/v1/*")]) as mirror,
        RawServer(environment={**fetching, "HEIMDALL_MODELS_MIRROR": mirror.url}) as server,
    ):
        server.initialize()
        waiting = server.begin(
            "tools/call", name="memory_status", arguments={"wait_for_model": True}
        )
        server.wait(lambda message: "fetching models-v1.zip" in str(message))
        server.notify("notifications/cancelled", requestId=waiting)
        assert server.call("memory_status")["structuredContent"]["model"]["state"] == "fetching"
        held.go.set()
        server.wait(lambda message: "'ready'" in str(message))
        assert server.end() == 0
        assert not any(message.get("id") == waiting for message in server.messages)


def test_a_failed_download_is_said_and_memories_are_kept_and_found(
    fetching: dict[str, str], small: SmallModel
) -> None:
    with (
        plain_mirror(small.directory, faults=[Fault(Instead(404))]) as mirror,
        RawServer(environment={**fetching, "HEIMDALL_MODELS_MIRROR": mirror.url}) as server,
    ):
        server.initialize()
        server.request("logging/setLevel", level="warning")
        status = server.call("memory_status", wait_for_model=True)["structuredContent"]
        assert (status["system_status"], status["model"]["state"]) == ("degraded", "failed")
        assert "404" in status["model"]["detail"]
        server.wait(lambda message: message.get("params", {}).get("level") == "warning")
        stored = server.call("store_memory", text="The harbour master is called Greta")
        (note,) = stored["structuredContent"]["notes"]
        assert note == "it is found by keywords now, and by meaning once the model is ready"
        found = server.call("recall_memories", query="harbour", wait_for_model=True)
        assert found["structuredContent"]["mode"] == "keywords"
        assert "Greta" in found["content"][0]["text"]
        assert "keywords alone" in found["content"][0]["text"]
        assert server.end() == 0


def test_use_leaves_the_download_to_the_first_that_needs_it(
    fetching: dict[str, str], small: SmallModel
) -> None:
    with plain_mirror(small.directory) as mirror:
        environment = {**fetching, "HEIMDALL_MODELS_MIRROR": mirror.url, "HEIMDALL_FETCH": "use"}
        with RawServer(environment=environment) as server:
            server.initialize()
            assert server.call("memory_status")["structuredContent"]["model"]["state"] == "waiting"
            assert mirror.requests.settled() == []
            ready = server.call("memory_status", wait_for_model=True)["structuredContent"]["model"]
            assert ready["state"] == "ready"
            assert server.end() == 0


class Pending(ProjectMemory):
    """What has memories to embed: takes its time, as told."""

    def __init__(self, *, error: Exception | None = None) -> None:
        self.error = error
        self.stopped = threading.Event()
        self.go = threading.Event()

    def embed_pending(
        self,
        *,
        progress: Callable[[int, int], None] | None = None,
        stop: threading.Event | None = None,
    ) -> int:
        assert progress is not None
        assert stop is not None
        progress(1, 2)
        while not self.go.wait(0.01):
            if stop.is_set():
                self.stopped.set()
                return 1
        if self.error is not None:
            raise self.error
        progress(2, 2)
        return 2


def until(loader: ModelLoader, state: ModelState) -> ModelStatus:
    wait_until(lambda: loader.status.state is state)
    return loader.status


@pytest.fixture
def in_reach(
    small: SmallModel, manifest_path: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The small model is in a mirror."""
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", small.mirror)
    monkeypatch.setenv("HEIMDALL_SOURCES", "mirror")
    monkeypatch.setenv("HEIMDALL_PROGRESS", "0")


@pytest.fixture
def here(in_reach: None) -> None:
    """The small model is on this machine."""
    from heimdall.models.resolver import resolve

    resolve()


@pytest.mark.usefixtures("here")
def test_stages_in_their_order() -> None:
    assert ModelLoader().status.state is ModelState.WAITING
    loader, memory = ModelLoader(), Pending()
    loader.begin(memory)
    loader.begin(memory)
    embedding = until(loader, ModelState.EMBEDDING)
    assert (embedding.done, embedding.total, embedding.busy) == (1, 2, True)
    assert 0.9 < embedding.fraction < 1
    memory.go.set()
    assert until(loader, ModelState.READY).fraction == 1
    loader.begin()
    assert loader.status.state is ModelState.READY


@pytest.mark.usefixtures("here")
def test_the_end_stops_embedding_after_its_batch() -> None:
    loader, memory = ModelLoader(), Pending()
    loader.begin(memory)
    until(loader, ModelState.EMBEDDING)
    loader.stop(PATIENCE)
    assert memory.stopped.is_set()
    loader.begin(Pending())
    assert loader.status.state is not ModelState.EMBEDDING


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("error", "words"),
    [(HeimdallError("no such luck"), "no such luck"), (ZeroDivisionError("x"), "please report")],
)
def test_a_failure_is_told_and_not_repeated_at_once(error: Exception, words: str) -> None:
    loader, memory = ModelLoader(), Pending(error=error)
    memory.go.set()
    loader.begin(memory)
    assert words in until(loader, ModelState.FAILED).detail
    loader.begin(Pending(), asked=True)
    assert loader.status.state is ModelState.FAILED


@pytest.mark.usefixtures("in_reach")
def test_without_an_engine_no_model_is_fetched(
    models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on an Intel Mac with Python 3.14, for which onnxruntime has no wheel."""
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    loader = ModelLoader()
    loader.begin(asked=True)
    wait_until(lambda: not loader.status.busy)
    assert "found by their words; reinstall it: " in loader.status.detail
    assert not models_dir.exists()


def test_a_wrong_variable_is_told(manifest_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEIMDALL_SOURCES", "gitlab")
    loader = ModelLoader()
    loader.begin()
    assert "HEIMDALL_SOURCES='gitlab'" in until(loader, ModelState.FAILED).detail
