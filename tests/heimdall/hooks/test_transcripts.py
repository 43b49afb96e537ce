from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cognitive_memory.joint_memory import existing_memories
from cognitive_memory.opening import open_memory
from cognitive_memory.project.find import find_project
from heimdall.cli.run import run
from heimdall.hooks.transcripts import load_transcripts, transcripts
from heimdall.hooks.undoing import undo_last
from tests.heimdall.hooks.conftest import Project
from tests.heimdall.hooks.test_turns import ANSWERED, SAID

LAST = "It is green, as you said, and all of the code that paints the sky says so now, with tests."


def written(path: Path, *lines: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def claude(project: Path, said: str = SAID, name: str = "6f0ebd1f") -> Path:
    known = {"cwd": str(project), "sessionId": name, "timestamp": "2026-11-27T10:55:53.219Z"}
    return written(
        Path.home() / f".claude/projects/-some-where/{name}.jsonl",
        {"type": "queue-operation", "sessionId": name},
        {**known, "type": "user", "message": {"role": "user", "content": said}},
        {
            **known,
            "type": "assistant",
            "message": {"role": "assistant", "content": [{"type": "text", "text": LAST}]},
        },
    )


def codex(project: Path, said: str) -> Path:
    def event(kind: str, text: str) -> dict[str, Any]:
        item = {"type": kind, "content": [{"type": "text", "text": text}]}
        return {"type": "event_msg", "payload": {"type": "item_completed", "item": item}}

    return written(
        Path.home()
        / ".codex/sessions/2026/11/27/rollout-2026-11-27T10-55-54-01a21ca5-bf6a-7173-bee8-f32ea8f2b422.jsonl",
        {"type": "session_meta", "payload": {"id": "01a21ca5", "cwd": str(project)}},
        event("UserMessage", said),
        event("AgentMessage", ANSWERED),
    )


def gemini(project: Path, said: str) -> Path:
    folder = Path.home() / ".gemini/tmp/p1"
    path = written(
        folder / "chats/session-2026-11-27T10-58-63fb7ffe.jsonl",
        {"sessionId": "63fb7ffe-001f", "kind": "main"},
        {"type": "user", "content": [{"text": said}]},
        {"type": "gemini", "content": ANSWERED},
    )
    (folder / ".project_root").write_text(str(project))
    return path


def qwen(project: Path, said: str) -> Path:
    return written(
        Path.home() / ".qwen/projects/-p/chats/940a35a1.jsonl",
        {
            "type": "user",
            "cwd": str(project),
            "message": {"role": "user", "parts": [{"text": said}]},
        },
    )


def copilot(project: Path, said: str) -> Path:
    return written(
        Path.home() / ".copilot/session-state/4a16fecb/events.jsonl",
        {"type": "session.start", "data": {"context": {"cwd": str(project)}}},
        {"type": "user.message", "data": {"content": said}},
        {"type": "assistant.message", "data": {"content": ANSWERED}},
    )


ALL = {
    "claude-code": claude,
    "codex": codex,
    "gemini": gemini,
    "qwen-code": qwen,
    "copilot-cli": copilot,
}
SESSIONS = {
    "claude-code": "6f0ebd1f",
    "codex": "01a21ca5-bf6a-7173-bee8-f32ea8f2b422",
    "gemini": "63fb7ffe-001f",
    "qwen-code": "940a35a1",
    "copilot-cli": "4a16fecb",
}


def texts(project: Project) -> set[str]:
    with open_memory(find_project(project.root)) as memory:
        return {one.text for one in memory.memories()}


def test_without_a_home_there_are_none(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    assert list(transcripts(find_project(project.root))) == []


def test_the_conversations_of_each_assistant_are_found(project: Project, tmp_path: Path) -> None:
    (project.root / "src").mkdir()
    for host, write in ALL.items():
        write(project.root / "src", f"remember that {host} was here")
    claude(tmp_path / "elsewhere", "remember that this is elsewhere", "other")
    claude(tmp_path / "project-of-a-longer-name", "remember that this is another", "another")
    found = {
        one.conversation.host: one.conversation.session
        for one in transcripts(find_project(project.root))
    }
    assert found == SESSIONS
    report = load_transcripts(find_project(project.root))
    assert report.clients == dict.fromkeys(ALL, 1)
    assert texts(project) == {f"{host[0].upper()}{host[1:]} was here" for host in ALL} | {LAST}


def test_a_repeat_reads_what_is_new_alone(project: Project) -> None:
    path = claude(project.root)
    found = find_project(project.root)
    assert len(load_transcripts(found, dry_run=True).memories) == 0
    assert not found.folder.exists()
    assert len(load_transcripts(found).memories) == 2
    assert load_transcripts(found).memories == []
    with path.open("a") as stream:
        line = {"type": "user", "message": {"role": "user", "content": "remember that it is new"}}
        stream.write(json.dumps(line) + "\n")
    assert len(load_transcripts(found).memories) == 1
    assert "It is new" in texts(project)


def test_all_of_a_load_is_one_capture(project: Project) -> None:
    claude(project.root, name="one")
    claude(project.root, "remember that grass is blue", name="two")
    load_transcripts(find_project(project.root))
    with existing_memories(lambda: find_project(project.root)) as memory:
        assert len(undo_last(memory).memories) == 3
    assert load_transcripts(find_project(project.root)).memories == []


def test_a_project_within_keeps_its_own(project: Project) -> None:
    inner = project.root / "vendor/inner"
    (inner / ".git").mkdir(parents=True)
    claude(inner)
    assert list(transcripts(find_project(project.root))) == []
    assert len(list(transcripts(find_project(inner)))) == 1


def test_garbage_is_no_transcript(project: Project) -> None:
    path = claude(project.root)
    for garbage in (b"", b"\xff" * 100, b"[" * 100_000, b"{}\n1\n"):
        path.write_bytes(garbage)
        assert list(transcripts(find_project(project.root))) == []


@pytest.mark.slow
def test_the_command(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project.root)
    monkeypatch.setenv("HEIMDALL_FETCH", "never")
    claude(project.root)
    assert run(["load", "--transcripts", "--dry-run"]) == 0
    assert run(["load", "--transcripts", "--no-embed"]) == 0
    assert "2 new or changed" in capsys.readouterr().out
    assert run(["recent", "--captured", "--json"]) == 0
    recent = json.loads(capsys.readouterr().out)["memories"]
    assert {one["text"] for one in recent} == {"The sky is green", LAST}
    assert run(["undo", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["undone"]) == 2
    assert run(["undo"]) == 0
    assert "no capture" in capsys.readouterr().out
    assert run(["undo", "12345678"]) == 2
    assert run(["load", "--transcripts", "docs"]) == 2
