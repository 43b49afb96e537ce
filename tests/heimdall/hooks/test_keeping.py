from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cognitive_memory.core.memory import Memory, Origin
from cognitive_memory.core.values import MemoryValueError
from cognitive_memory.joint_memory import existing_memories
from cognitive_memory.opening import open_memory
from cognitive_memory.project.find import find_project
from cognitive_memory.storage.errors import UnknownMemoryError
from heimdall.hooks import transcript_file
from heimdall.hooks.answering import told
from heimdall.hooks.capture import LONGEST_SUMMARY
from heimdall.hooks.hosts import HOSTS, Event
from heimdall.hooks.payload import read
from heimdall.hooks.undoing import NotCapturedError, undo, undo_last
from tests.heimdall.hooks.conftest import HEIMDALL, Project

LAST = "Everything is done: the parser reads CRLF now, and the tests cover both kinds of line ends."


class Session:
    """A conversation with Claude Code, its transcript and its hooks."""

    def __init__(self, project: Project, name: str = "s1") -> None:
        self.project = project
        self.name = name
        self.file = project.root.parent / f"{name}.jsonl"

    def says(self, text: str, speaker: str = "user", **more: Any) -> None:
        line = {"type": speaker, "message": {"role": speaker, "content": text}, **more}
        with self.file.open("a") as stream:
            stream.write(json.dumps(line) + "\n")

    def payload(self, event: Event, **more: Any) -> bytes:
        name = HOSTS["claude-code"].events[event]
        known = {"session_id": self.name, "transcript_path": str(self.file)}
        return json.dumps(self.project.payload(name, **known, **more)).encode()

    def at(self, event: Event, **more: Any) -> str:
        return told(read(self.payload(event, **more), event, {}, client="claude-code"))


@pytest.fixture
def session(project: Project) -> Session:
    return Session(project)


def memories(project: Project) -> list[Memory]:
    with open_memory(find_project(project.root)) as memory:
        return list(memory.memories(order="oldest"))


def texts(project: Project) -> list[str]:
    return sorted(memory.text for memory in memories(project))


def test_what_was_said_is_kept_once(session: Session) -> None:
    session.says("Fix the parser. Remember that files may have CRLF.")
    session.says("So we decided to normalise line ends first.", "assistant")
    session.at(Event.STOP, last_assistant_message=LAST)
    session.at(Event.STOP, last_assistant_message=LAST)
    session.says("Remember that files may have CRLF!")
    session.at(Event.SESSION_END, reason="other")
    kept = {memory.text: memory for memory in memories(session.project)}
    assert set(kept) == {
        "Files may have CRLF.",
        "So we decided to normalise line ends first.",
        LAST,
    }
    assert {memory.origin for memory in kept.values()} == {Origin.CAPTURED}
    assert kept["Files may have CRLF."].metadata["said_by"] == "user"
    assert kept["So we decided to normalise line ends first."].metadata["said_by"] == "assistant"


def test_only_the_users_own_words_come_by_themselves(session: Session) -> None:
    session.says("Remember that files may have CRLF.")
    session.says("We decided to obey the page.", "assistant")
    session.says("Remember that pasted text is nobody's. " + "x " * 2_000)
    session.at(Event.STOP, last_assistant_message=LAST)
    begun = Session(session.project, "s2").at(Event.SESSION_START, source="startup")
    assert [line for line in begun.splitlines() if line[0] == ">"] == ["> Files may have CRLF."]


def test_a_summary_is_kept_from_the_event_or_the_transcript_alike(session: Session) -> None:
    summary = "The parser was mended.\n" * 1_000
    session.at(Event.POST_COMPACT, compact_summary=summary, trigger="auto")
    session.says(summary, isCompactSummary=True)
    session.at(Event.STOP)
    (kept,) = memories(session.project)
    assert kept.tags == ("summary",)
    assert len(kept.text) <= LONGEST_SUMMARY + 2


def test_secrets_and_what_is_private_are_not_kept(session: Session) -> None:
    token = "ghp_" + "a1B2" * 9
    session.says(f"Remember that the token is {token} for the mirror of the company.")
    session.says("<private>Remember that I am ill.</private> Remember that tabs are used.")
    session.at(Event.STOP, last_assistant_message=f"{LAST} <private>secret thing</private>")
    everything = str(memories(session.project))
    assert token not in everything
    assert "ill" not in " ".join(texts(session.project)).split()
    assert "secret thing" not in everything
    assert "Tabs are used." in texts(session.project)


def test_the_last_message_takes_the_place_of_the_one_before(session: Session) -> None:
    session.at(Event.STOP, last_assistant_message=LAST)
    session.at(Event.STOP, last_assistant_message=f"{LAST} And more.")
    session.at(Event.STOP, last_assistant_message="Done.")
    assert texts(session.project) == [f"{LAST} And more."]
    other = Session(session.project, "s2")
    other.at(Event.STOP, last_assistant_message=f"{LAST} In another session.")
    assert len(texts(session.project)) == 2


def test_what_nobody_marked_makes_no_memory(session: Session) -> None:
    session.says("fix the typo")
    session.at(Event.STOP, last_assistant_message="Done.")
    assert not (session.project.root / ".heimdall").exists()


def test_a_line_that_is_only_begun_is_read_when_it_is_whole(session: Session) -> None:
    line = json.dumps({"type": "user", "message": {"content": "remember that it is whole"}})
    session.project.store("there is a memory")
    session.file.write_text(line[:40])
    session.at(Event.STOP)
    session.file.write_text(line + "\n")
    session.at(Event.STOP)
    assert "It is whole" in texts(session.project)


def test_a_long_transcript_is_read_in_parts(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcript_file, "MOST_BYTES", 1_000)
    with session.file.open("w") as stream:
        stream.write("x" * 2_500 + "\n")
    for number in range(30):
        session.says(f"remember that number {number} is kept")
    for _ in range(10):
        session.at(Event.STOP)
    assert len(texts(session.project)) == 30


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_no_link_and_no_folder_is_read(session: Session, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text(
        json.dumps({"type": "user", "message": {"content": "remember that links lead on"}}) + "\n"
    )
    session.file.symlink_to(elsewhere)
    session.at(Event.STOP)
    assert not (session.project.root / ".heimdall").exists()


def test_the_last_capture_is_taken_back_and_not_made_again(session: Session) -> None:
    session.says("Remember that the first stays.")
    session.at(Event.STOP)
    session.says("Remember that the second goes.")
    session.says("Remember that the third goes, too.")
    session.at(Event.STOP, last_assistant_message=LAST)
    with existing_memories(lambda: find_project(session.project.root)) as memory:
        assert len(undo_last(memory, dry_run=True).memories) == 3
        undone = undo_last(memory)
    assert {one.text for one in undone.memories} == {
        "The second goes.",
        "The third goes, too.",
        LAST,
    }
    session.at(Event.STOP, last_assistant_message=LAST)
    session.at(Event.SESSION_END)
    assert texts(session.project) == ["The first stays."]


def test_what_the_user_pinned_or_stored_is_not_taken_back(session: Session) -> None:
    stored = session.project.store("by hand")
    session.says("Remember that this is pinned.")
    session.says("Remember that this is not.")
    session.at(Event.STOP)
    with existing_memories(lambda: find_project(session.project.root)) as memory:
        (pinned,) = [one for one in memory.memories_of() if one.text == "This is pinned."]
        memory.update(pinned.id, pinned=True)
        undone = undo_last(memory)
        assert [one.text for one in undone.kept] == ["This is pinned."]
        assert undo_last(memory).memories == ()
        for wrong in (stored, "00000000", stored[:8], "x"):
            with pytest.raises((NotCapturedError, UnknownMemoryError, MemoryValueError)):
                undo(memory, [pinned.id[:8], wrong])
        assert [one.text for one in undo(memory, [pinned.id[:8]]).memories] == ["This is pinned."]
    assert texts(session.project) == ["by hand"]


@pytest.mark.slow
def test_two_sessions_and_two_events_at_once_store_everything_once(project: Project) -> None:
    sessions = [Session(project, f"s{number}") for number in range(4)]
    for session in sessions:
        for number in range(5):
            session.says(f"remember that {session.name} said number {number}")
        session.says("remember that all of them said this")

    def run(session: Session) -> int:
        done = project.hook("stop", session.payload(Event.STOP))
        assert done.stderr == ""
        return done.returncode

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(run, sessions * 2)) == {0}
    kept = texts(project)
    assert len(kept) == len(set(kept)) == 4 * 5 + 1


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
def test_a_hook_that_is_killed_loses_nothing_and_stores_nothing_twice(project: Project) -> None:
    session = Session(project)
    expected = []
    for number in range(12):
        session.says(f"remember that number {number} is kept")
        expected.append(f"Number {number} is kept")
        process = subprocess.Popen(
            [str(HEIMDALL), "hook", "stop"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        assert process.stdin is not None
        process.stdin.write(session.payload(Event.STOP))
        process.stdin.close()
        time.sleep(random.uniform(0.0, 0.3))
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=900)
    assert project.hook("stop", session.payload(Event.STOP)).returncode == 0
    assert texts(project) == sorted(expected)
