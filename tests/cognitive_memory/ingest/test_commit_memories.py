from __future__ import annotations

from datetime import UTC, datetime

from cognitive_memory.core.commit_text import message_of
from cognitive_memory.core.memory import MemoryType
from cognitive_memory.ingest.commit_memories import memories_of
from cognitive_memory.ingest.commits import ChangedFile, Commit
from cognitive_memory.ingest.splitting import SOLID_BOUND, estimate_tokens


def _commit(**fields: object) -> Commit:
    plain = {
        "sha": "a" * 40,
        "parents": (),
        "author": "Ada",
        "when": datetime(2026, 1, 2, tzinfo=UTC),
        "message": "Do it",
    }
    return Commit(**{**plain, **fields})  # type: ignore[arg-type]


def test_the_memory_of_a_commit() -> None:
    files = (
        ChangedFile("a.py", "M", lines=(1, 2)),
        ChangedFile("new.py", "R", "old.py", lines=(9, 0)),
        ChangedFile("gone.py", "D", lines=(0, 4)),
        ChangedFile("logo.png", "A", binary=True),
        ChangedFile("mode.sh", "M", lines=(0, 0)),
    )
    (memory,) = memories_of(
        _commit(message="Do it\n\nWhy.\n\nSigned-off-by: Ada <a@b>", files=files),
        "git:history",
        tags=("x",),
    ).memories
    assert memory.text == (
        "Do it\n\nWhy.\n\n"
        "renamed old.py to new.py (+9 -0)\nremoved gone.py (+0 -4)\nchanged a.py (+1 -2)\nchanged mode.sh"
    )
    assert memory.context == "Commit aaaaaaaaaa by Ada on 2026-01-02"
    assert (memory.type, memory.source, memory.tags) == (MemoryType.EPISODE, "git:history", ("x",))
    assert memory.created_at == datetime(2026, 1, 2, tzinfo=UTC)
    assert memory.metadata["commit"] == "a" * 40


def test_the_message_of_a_memory_is_told_from_its_files() -> None:
    files = tuple(
        ChangedFile(
            f"src/file {number}.py", status, "src/old.py" if status in "RC" else None, (9, 1)
        )
        for number, status in enumerate("AMRCDT" * 5)
    )
    message = "Retry thrice\n\nThe proxy is slow."
    (memory,) = memories_of(_commit(message=message, files=files), "git:history").memories
    assert "and 10 more files" in memory.text
    assert message_of(memory.text) == message


def test_secrets_are_left_out_of_commits() -> None:
    made = memories_of(_commit(message="Remove ghp_" + "a" * 36), "git:history")
    assert (made.redacted, made.memories[0].text) == (1, "Remove [redacted GitHub token]")


def test_a_long_message_is_several_memories_and_many_files_are_summed_up() -> None:
    message = "Subject\n\n" + "\n\n".join("This is a paragraph of words. " * 20 for _ in range(5))
    files = tuple(
        ChangedFile(f"some/long/path/to/a/file-{number}.py", "M", lines=(1, 1))
        for number in range(100)
    )
    memories = memories_of(_commit(message=message, files=files), "git:history").memories
    assert len(memories) > 1
    assert all(estimate_tokens(memory.text) <= SOLID_BOUND for memory in memories)
    assert memories[-1].text.endswith("more files")
    assert memories[1].context == "Commit aaaaaaaaaa by Ada on 2026-01-02: Subject"
    assert [(memory.metadata["part"], memory.metadata["parts"]) for memory in memories] == [
        (number + 1, len(memories)) for number in range(len(memories))
    ]
    assert len({memory.id for memory in memories}) == len(memories)


def test_no_message_and_no_author() -> None:
    (memory,) = memories_of(_commit(message="", author=" "), "git:history").memories
    assert (memory.text, memory.context) == (
        "(no message)",
        "Commit aaaaaaaaaa by nobody on 2026-01-02",
    )
