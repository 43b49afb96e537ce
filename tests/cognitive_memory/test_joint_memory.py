from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cognitive_memory.core.memory import Memory, NewMemory, Scope
from cognitive_memory.core.recall import NOTHING_FITS, Hit, Recall, RecallMode, waiting
from cognitive_memory.joint_memory import JointMemory, existing_memories, merged
from cognitive_memory.opening import existing_memory, open_memory
from cognitive_memory.project.errors import NoProjectError
from cognitive_memory.project.find import Project
from cognitive_memory.project.user import user_place
from cognitive_memory.storage.errors import StorageError, UnknownMemoryError

NOBODY = "00000000-0000-4000-8000-000000000000"
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture
def joint(project: Project) -> Iterator[JointMemory]:
    """Six memories, one a day, by turns of the project and of the user."""
    with JointMemory(open_memory(project), open_memory(user_place())) as joint:
        for day in range(6):
            memory = list(joint.memories.values())[day % 2]
            at = BEGIN + timedelta(days=day)
            memory.store(NewMemory(text=f"tabs {day}", created_at=at), embed=False)
        yield joint


def texts(memories: Iterator[Memory]) -> list[str]:
    return [memory.text for memory in memories]


def test_without_a_memory_of_the_user_the_project_answers_alone(project: Project) -> None:
    open_memory(project).close()
    with existing_memories(lambda: project) as joint:
        assert list(joint.memories) == [Scope.PROJECT]
    assert not user_place().root.exists()


def test_a_list_is_in_order_and_goes_on_page_by_page(joint: JointMemory) -> None:
    everything = [f"tabs {day}" for day in (5, 4, 3, 2, 1, 0)]
    assert texts(joint.memories_of()) == everything
    assert texts(joint.memories_of(order="oldest", limit=3)) == ["tabs 0", "tabs 1", "tabs 2"]
    assert texts(joint.memories_of(order="changed")) == everything
    shown: list[str] = []
    after: dict[Scope, str] = {}
    while page := list(joint.memories_of(limit=4, after=after)):
        shown += [memory.text for memory in page]
        after |= {memory.scope: memory.id for memory in page}
    assert shown == everything


def test_each_memory_is_found_by_its_id_changed_and_deleted_where_it_is(joint: JointMemory) -> None:
    first, second = list(joint.memories_of(limit=2))
    assert {first.scope, second.scope} == {*Scope}
    for one in (first, second):
        assert joint.update(one.id, pinned=True).scope is one.scope
        assert joint.get(one.id).pinned
    with pytest.raises(UnknownMemoryError):
        joint.delete([first.id, second.id, NOBODY])
    assert len(list(joint.memories_of())) == 6
    joint.delete([first.id, second.id])
    assert len(list(joint.memories_of())) == 4


def test_both_answer_and_a_text_comes_once(joint: JointMemory) -> None:
    for memory in joint.memories.values():
        memory.store(NewMemory(text="Spaces are out"), embed=False)
    answer = joint.recall("spaces tabs", limit=10)
    assert {hit.memory.scope for hit in answer.hits} == {*Scope}
    assert [hit.memory.text for hit in answer.hits].count("Spaces are out") == 1
    assert answer.pending == 8
    assert waiting(8) in answer.notes
    assert len(answer.notes) == len(set(answer.notes)) == 2


def test_where_there_is_no_project_the_user_s_is_enough(project: Project) -> None:
    def find() -> Project:
        raise NoProjectError(project.root, "is your home")

    with pytest.raises(NoProjectError):
        existing_memories(find)
    open_memory(user_place()).close()
    with existing_memories(find) as joint:
        assert list(joint.memories) == [Scope.USER]
    with pytest.raises(NoProjectError):
        existing_memories(find, Scope.PROJECT)


def test_one_of_the_user_s_that_can_not_be_opened_is_left_out_with_a_note(project: Project) -> None:
    with open_memory(project) as memory:
        memory.store(NewMemory(text="tabs"), embed=False)
    user_place().root.mkdir(parents=True, mode=0o700)
    user_place().database.write_bytes(b"no database" * 1000)
    with existing_memories(lambda: project) as joint:
        answer = joint.recall("tabs")
    assert [hit.memory.text for hit in answer.hits] == ["tabs"]
    assert "What holds in all your projects was left out" in answer.notes[0]
    with pytest.raises(StorageError):
        existing_memories(lambda: project, Scope.USER)
    assert existing_memory(project) is not None


def test_what_has_nothing_that_fits_is_weak_beside_what_has(joint: JointMemory) -> None:
    ours, theirs = list(joint.memories_of(limit=2))

    def answer(memory: Memory, *, weak: bool) -> Recall:
        return Recall(
            hits=(Hit(memory=memory, score=0.5, parts={}),),
            mode=RecallMode.HYBRID,
            pending=0,
            notes=(NOTHING_FITS,) if weak else (),
            weak=weak,
        )

    mixed = merged([answer(ours, weak=True), answer(theirs, weak=False)], 10)
    assert [hit.weak for hit in mixed.hits] == [True, False]
    assert not mixed.weak
    assert mixed.notes == ()
    nothing = merged([answer(ours, weak=True), answer(theirs, weak=True)], 10)
    assert nothing.weak
    assert nothing.notes == (NOTHING_FITS,)
