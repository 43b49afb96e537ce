from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client import ClientRequestContext
from mcp.client.session import ListRootsFnT
from mcp_types import ListRootsResult, Root

from heimdall.mcp_server.roots import Roots, _sorted
from heimdall.mcp_server.server import make_server
from heimdall.mcp_server.service import Service
from tests.support.mcp_raw import RawServer


@pytest.mark.parametrize("name", ["a" * 5000, "%00", "%ED%A0%80", "\udcff", "missing"])
def test_a_root_that_can_be_no_directory_is_none(name: str, tmp_path: Path) -> None:
    for bad in (
        f"file://{tmp_path}/{name}",
        {"uri": f"{tmp_path}/{name}"},
        {"uri": 5},
        5,
        None,
        {},
    ):
        paths, unread = _sorted([bad, {"uri": tmp_path.as_uri()}])
        assert paths == (tmp_path,)
        assert all(len(said) <= 200 for said in unread)
    for good in (str(tmp_path), {"uri": str(tmp_path)}, {"path": str(tmp_path), "name": "x"}):
        assert _sorted([good]) == ((tmp_path,), ())


class Editor:
    """A client's workspace."""

    def __init__(self, *folders: Path) -> None:
        self.folders = list(folders)
        self.asked = 0

    async def __call__(self, context: ClientRequestContext) -> ListRootsResult:  # noqa: ARG002 (its name is part of the protocol)
        self.asked += 1
        return ListRootsResult(roots=[Root(uri=folder.as_uri()) for folder in self.folders])  # type: ignore[arg-type]  # pydantic takes text


def connected(editor: ListRootsFnT, mode: Any) -> Client:
    """A client of a server of its own."""
    return Client(make_server(Service(Roots())), mode=mode, list_roots_callback=editor)


async def root_of(client: Client) -> str:
    result = await client.call_tool("memory_status", {})
    assert not result.is_error, result.content
    return str(result.structured_content["project"]["root"])


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    return tmp_path / "first", tmp_path / "second"


@pytest.mark.anyio
async def test_the_client_is_asked_once_in_either_era(
    project: Path, era: str, folders: tuple[Path, Path]
) -> None:
    editor = Editor(*folders)
    async with connected(editor, era) as client:
        assert await root_of(client) == str(folders[0])
        assert await root_of(client) == str(folders[0])
    assert editor.asked == 1


@pytest.mark.anyio
async def test_a_root_that_has_a_memory_goes_before_one_that_has_none(
    project: Path, era: str, folders: tuple[Path, Path]
) -> None:
    (folders[1] / ".heimdall").mkdir()
    (folders[1] / ".heimdall" / "config.yaml").touch()
    async with connected(Editor(*folders), era) as client:
        assert await root_of(client) == str(folders[1])


@pytest.mark.anyio
async def test_the_variable_goes_before_roots_and_roots_before_the_working_directory(
    project: Path, era: str, folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = Editor(project / "missing", folders[1])
    async with connected(editor, era) as client:
        assert await root_of(client) == str(folders[1])
        monkeypatch.setenv("HEIMDALL_PROJECT", str(folders[0]))
        assert await root_of(client) == str(folders[0])
    monkeypatch.delenv("HEIMDALL_PROJECT")
    async with connected(Editor(), era) as client:
        assert await root_of(client) == str(project)
    async with Client(make_server(Service(Roots())), mode=era) as client:
        assert await root_of(client) == str(project)


@pytest.mark.anyio
async def test_a_root_that_is_no_directory_here_is_said(
    project: Path, era: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def editor(context: ClientRequestContext) -> ListRootsResult:
        return ListRootsResult(roots=[Root(uri="file://elsewhere/d%3A/Jo%20Doe")])  # type: ignore[arg-type]  # pydantic takes text

    async with connected(editor, era) as client:
        result = await client.call_tool("memory_status", {})
        await client.call_tool("memory_status", {})
    chosen_by = result.structured_content["project"]["chosen_by"]
    assert chosen_by.startswith("the working directory; ")
    assert "file://elsewhere/d%3A/Jo%20Doe" in chosen_by
    assert caplog.text.count("is no directory of this machine") == 1


@pytest.mark.anyio
async def test_resources_and_the_prompt_are_those_of_the_root_too(
    project: Path, era: str, folders: tuple[Path, Path]
) -> None:
    for ask in ("resource", "prompt"):
        editor = Editor(folders[0])
        async with connected(editor, era) as client:
            if ask == "resource":
                await client.read_resource("heimdall://memories/recent")
            else:
                await client.get_prompt("use_memory")
            assert editor.asked == 1


@pytest.mark.anyio
async def test_over_http_roots_of_other_machines_are_not_asked_for(
    project: Path, folders: tuple[Path, Path]
) -> None:
    editor = Editor(*folders)
    async with Client(
        make_server(Service(None)), mode="legacy", list_roots_callback=editor
    ) as client:
        assert await root_of(client) == str(project)
    assert editor.asked == 0


@pytest.mark.anyio
async def test_the_client_is_asked_again_when_its_roots_changed(
    project: Path, folders: tuple[Path, Path]
) -> None:
    editor = Editor(folders[0])
    async with connected(editor, "legacy") as client:
        assert await root_of(client) == str(folders[0])
        editor.folders = [folders[1]]
        await client.session.send_roots_list_changed()
        assert await root_of(client) == str(folders[1])


@pytest.mark.anyio
async def test_roots_that_changed_while_they_were_named_are_not_kept(
    project: Path, folders: tuple[Path, Path]
) -> None:
    class Restless(Editor):
        """Changes its folders once, between being asked and answering."""

        async def __call__(self, context: ClientRequestContext) -> ListRootsResult:
            answer = await super().__call__(context)
            if self.asked == 1:
                self.folders = [folders[1]]
                await client.session.send_roots_list_changed()
            return answer

    async with connected(Restless(folders[0]), "legacy") as client:
        await root_of(client)
        assert await root_of(client) == str(folders[1])


@pytest.mark.slow
def test_a_client_that_does_not_answer_or_answers_nonsense_is_served(
    project: Path, folders: tuple[Path, Path]
) -> None:
    def answers(server: RawServer, **answer: Any) -> None:
        asked = server.wait(lambda message: message.get("method") == "roots/list")
        server.send({"id": asked["id"], **answer})

    with RawServer() as server:
        server.initialize({"roots": {"listChanged": True}})
        nonsense: list[dict[str, Any]] = [
            {"result": {"roots": 5}},
            {"result": {}},
            {"error": {"code": -32603, "message": "no"}},
        ]
        for answer in nonsense:
            answers(server, **answer)
            assert server.call("memory_status")["structuredContent"]["project"]["root"] == str(
                project
            )
            server.messages.clear()
            server.notify("notifications/roots/list_changed")
        bad: list[Any] = [{"uri": "no uri"}, {"uri": "https://x/y"}, {"uri": ""}]
        answers(server, result={"roots": [*bad, {"uri": str(folders[0])}]})
        assert server.call("memory_status")["structuredContent"]["project"]["root"] == str(
            folders[0]
        )
        assert server.end() == 0
        assert server.stderr.count("did not name its roots") == 3
