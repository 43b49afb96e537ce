"""Which of a client's roots is the project, and what is no project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cognitive_memory.opening import open_memory
from cognitive_memory.project.errors import NoProjectError, UntrustedProjectError
from cognitive_memory.project.find import Project
from heimdall.mcp_server.projects import find
from tests.support.mcp_raw import RawServer

CALLS: list[tuple[str, dict[str, object]]] = [
    ("store_memory", {"text": "Something new."}),
    ("recall_memories", {"query": "secret"}),
    ("session_lessons", {"lesson_content": "Something that was learnt here today, with a reason."}),
    ("memory_status", {}),
    ("delete_memory", {"memory_id": "abcdefgh"}),
]


@pytest.fixture
def roots(tmp_path: Path) -> dict[str, Path]:
    """A directory of each kind."""
    made = {
        name: tmp_path / name for name in ("empty", "memory", "hostile", "victim", "second empty")
    }
    for root in made.values():
        root.mkdir()
    for name in ("memory", "victim"):
        open_memory(Project(made[name])).close()
    (made["hostile"] / ".heimdall").symlink_to(made["victim"] / ".heimdall")
    return made


def test_the_first_root_with_a_memory_else_the_first(roots: dict[str, Path], home: Path) -> None:
    def chosen(*names: str) -> Path:
        return find([roots.get(name, home) for name in names]).project.root

    assert chosen("empty", "memory") == roots["memory"]
    assert chosen("empty", "second empty") == roots["empty"]
    assert chosen("home", "empty") == roots["empty"], "a home is no project"
    assert chosen("memory", "hostile") == roots["memory"]
    with pytest.raises(NoProjectError):
        chosen("home")


def test_variables_of_clients_count_where_nothing_better_does(
    roots: dict[str, Path], home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKSPACE_FOLDER_PATHS", f"{roots['empty']},{roots['memory']}")
    for here in (home, Path("/"), roots["second empty"]):
        monkeypatch.chdir(here)
        assert find([]).project.root == roots["memory"], "no more than a directory"
    assert find([Path("/"), home]).project.root == roots["memory"]
    assert find([roots["second empty"]]).project.root == roots["second empty"]
    (roots["second empty"] / ".git").mkdir()
    monkeypatch.chdir(roots["second empty"])
    assert find([]).project.root == roots["second empty"], "a variable may be inherited"
    monkeypatch.setenv("WORKSPACE_FOLDER_PATHS", f"/,{home}")
    monkeypatch.chdir(tmp_path)
    assert find([]).project.root == tmp_path


def test_what_is_no_project_is_refused_with_a_way_out(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    for given in ([], [Path("/")], [home], [Path("/"), home]):
        with pytest.raises(NoProjectError, match="heimdall mcp install CLIENT --project DIR"):
            find(given)


def test_what_was_put_there_to_be_chosen_is_refused(roots: dict[str, Path]) -> None:
    for names in (("hostile",), ("hostile", "memory"), ("empty", "hostile")):
        with pytest.raises(UntrustedProjectError):
            find([roots[name] for name in names])


def refused(server: RawServer, said: str) -> None:
    assert "result" in server.initialize()
    tools = {tool["name"] for tool in server.request("tools/list")["result"]["tools"]}
    for tool, arguments in CALLS:
        assert tool in tools
        result = server.call(tool, **arguments)
        assert result["isError"], (tool, result)
        assert said in result["content"][0]["text"], (tool, result)


@pytest.mark.parametrize("kind", ["link", "another user"])
def test_a_server_answers_and_every_tool_refuses(
    project: Path, roots: dict[str, Path], kind: str
) -> None:
    folder = project / ".heimdall"
    if kind == "link":
        folder.symlink_to(roots["victim"] / ".heimdall")
        said = "is a link"
    elif os.name == "nt" or os.geteuid() != 0:
        pytest.skip("only root can give files away")
    else:
        folder.mkdir()
        os.chown(folder, 54321, -1)
        said = f"heimdall project trust {project}"
    before = sorted(roots["victim"].rglob("*"))
    with RawServer() as server:
        refused(server, said)
    assert sorted(roots["victim"].rglob("*")) == before
    assert kind == "link" or not list(folder.iterdir())


def test_a_server_in_a_home(project: Path, home: Path) -> None:
    assert project.is_dir()
    with RawServer(cwd=home) as server:
        refused(server, "is your home directory, and no project unless it is named")
    assert not (home / ".heimdall").exists()
    with RawServer(cwd=home, environment={"HEIMDALL_PROJECT": str(home)}) as server:
        server.initialize()
        assert not server.call("store_memory", text="Mine.")["isError"]
    assert (home / ".heimdall").is_dir()
