from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cognitive_memory.core.memory import MemoryType, NewMemory, Origin
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.storage import json_lines
from cognitive_memory.storage.backup import problems_in
from cognitive_memory.storage.json_lines import JsonLineError, LineReader, read_lines
from tests.support.plain_embedder import PlainEmbedder

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
MEMORIES = st.lists(
    st.builds(
        NewMemory,
        text=TEXT.filter(lambda text: text.strip()),
        type=st.sampled_from(MemoryType),
        tags=st.lists(TEXT.filter(lambda text: text.strip()), max_size=3).map(tuple),
        source=st.none() | TEXT,
        origin=st.sampled_from(Origin),
        context=st.just("") | TEXT,
        importance=st.floats(0, 1),
        pinned=st.booleans(),
        created_at=st.none() | st.datetimes(timezones=st.just(UTC)),
        metadata=st.dictionaries(TEXT, JSON, max_size=3),
        id=st.none() | st.uuids().map(str),
    ),
    max_size=6,
)


def parsed(lines: Sequence[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines]


@pytest.mark.slow
@settings(max_examples=40)
@given(MEMORIES, st.booleans())
def test_round_trip_is_exact(memories: list[NewMemory], vectors: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        one, two = Path(folder, "one.db"), Path(folder, "two.db")
        with PlainEmbedder().open(one) as here, PlainEmbedder().open(two) as there:
            report = here.store_many(memories)
            lines = list(here.export_lines(vectors=vectors))
            imported = there.import_lines((f"{line}\n" for line in lines), own=True)
            assert imported.added == report.added == len(lines) - 1
            assert list(there.export_lines(vectors=vectors)) == lines
            assert [len(line.splitlines()) for line in lines] == [1] * len(lines)
            again = there.import_lines(lines, own=True)
            assert (again.added, again.updated, again.unchanged) == (0, 0, report.added)
            assert problems_in(there.database) == []
            for memory in here.memories():
                other = there.get(memory.id)
                for name in (
                    "text",
                    "tags",
                    "created_at",
                    "updated_at",
                    "metadata",
                    "content_hash",
                ):
                    assert getattr(other, name) == getattr(memory, name)
                assert other.embedded == vectors


def test_lines_go_by_moment_and_id(memory: ProjectMemory) -> None:
    moments = [datetime(2026, 3, day, tzinfo=UTC) for day in (2, 1, 2, 1, 3)] * 5
    memory.store_many(
        NewMemory(text=f"text {number}", created_at=moment) for number, moment in enumerate(moments)
    )
    _, *lines = parsed(list(memory.export_lines(vectors=False)))
    assert len(lines) == len(moments)
    assert lines == sorted(lines, key=lambda line: (line["created_at"], line["id"]))


def test_a_line_has_everything(memory: ProjectMemory) -> None:
    moment = datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC)
    stored = memory.store(
        NewMemory(
            text="a",
            context="c",
            tags=("x",),
            source="s",
            pinned=True,
            created_at=moment,
            metadata={"m": [1]},
        )
    )
    header, line = parsed(list(memory.export_lines()))
    assert header == {"format": "heimdall-memories", "version": 1, "memories": 1}
    vector = np.frombuffer(base64.b64decode(line.pop("vector").pop("float32")), dtype="<f4")
    np.testing.assert_array_equal(vector, PlainEmbedder().embed(["a\n(c)"])[0])
    assert line == {
        "id": stored.id,
        "text": "a",
        "context": "c",
        "type": "episode",
        "tags": ["x"],
        "source": "s",
        "origin": "stored",
        "importance": 0.5,
        "pinned": True,
        "created_at": "2026-03-01T12:00:00.000005+00:00",
        "updated_at": stored.updated_at.isoformat(timespec="microseconds"),
        "metadata": {"m": [1]},
    }


def test_lines_written_by_hand(memory: ProjectMemory) -> None:
    lines = [
        '{"text": "one"}',
        "",
        '{"text": "two", "type": "concept", "tags": ["x"], "created_at": "2026-03-01T12:00Z"}',
    ]
    assert memory.import_lines(lines).added == 2
    assert memory.import_lines(lines).unchanged == 2
    assert {item.text for item in memory.memories()} == {"one", "two"}


class TestOrigin:
    def test_a_file_may_claim_anything(self, memory: ProjectMemory) -> None:
        lines = [f'{{"text": "{origin}", "origin": "{origin}"}}' for origin in Origin]
        memory.import_lines(lines)
        assert {item.origin for item in memory.memories()} == {Origin.ADOPTED}

    def test_ones_own_export_says_the_truth(self, memory: ProjectMemory, tmp_path: Path) -> None:
        memory.store_many(NewMemory(text=origin, origin=origin) for origin in Origin)
        lines = list(memory.export_lines())
        with PlainEmbedder().open(tmp_path / "other.db") as other:
            other.import_lines(lines)  # the option was forgotten
            other.import_lines(lines, own=True)
            assert {item.text: item.origin for item in other.memories()} == {
                str(origin): origin for origin in Origin
            }
            assert list(other.export_lines()) == lines

    def test_what_is_here_word_for_word_stays_what_it_is(self, memory: ProjectMemory) -> None:
        memory.store_many(NewMemory(text=origin, origin=origin) for origin in Origin)
        lines = list(memory.export_lines())
        assert memory.import_lines(lines).unchanged == len(Origin)
        assert list(memory.export_lines()) == lines

    @pytest.mark.parametrize(("name", "value"), [("text", "b"), ("pinned", True), ("tags", ["x"])])
    def test_what_a_file_changes_is_adopted(
        self, memory: ProjectMemory, name: str, value: object
    ) -> None:
        stored = memory.store(NewMemory(text="a"))
        memory.import_lines([json.dumps({"id": stored.id, "text": "a", name: value})])
        assert memory.get(stored.id).origin is Origin.ADOPTED


def test_what_changed_here_later_stays(memory: ProjectMemory, tmp_path: Path) -> None:
    stored = memory.store(NewMemory(text="first"))
    old = list(memory.export_lines())
    memory.update(stored.id, text="second")
    report = memory.import_lines(old)
    assert (report.older, report.updated) == (1, 0)
    assert memory.get(stored.id).text == "second"
    new = list(memory.export_lines())
    with PlainEmbedder().open(tmp_path / "other.db") as other:
        other.import_lines(old, own=True)
        assert other.import_lines(new, own=True).updated == 1
        assert list(other.export_lines()) == new


def test_vectors_of_another_model_are_kept_apart(memory: ProjectMemory, tmp_path: Path) -> None:
    memory.store(NewMemory(text="a"))
    lines = list(memory.export_lines())
    with PlainEmbedder(name="another/1").open(tmp_path / "other.db") as other:
        assert other.import_lines(lines, own=True).vectors == 1
        assert (other.storage.status().embedded, other.storage.status().pending) == (0, 1)
        assert list(other.export_lines()) == lines
        other.embed_pending()
        assert other.import_lines(lines, own=True).vectors == 0
        assert other.storage.status().embedded == 1


def test_vectors_of_our_model_are_not_made_again(memory: ProjectMemory, tmp_path: Path) -> None:
    memory.store_many([NewMemory(text="a"), NewMemory(text="unreadable")])
    there = PlainEmbedder()
    with there.open(tmp_path / "other.db") as other:
        other.store(NewMemory(text="another"))
        other.import_lines(memory.export_lines())
        assert other.embed_pending() == 0
        assert (other.storage.status().embedded, other.storage.status().not_embeddable) == (2, 1)
        assert there.texts == ["another"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "it is no JSON"),
        ("[1]", "expected a JSON object"),
        ('{"txt": "a"}', "txt: is not known; did you mean 'text'?"),
        ('{"tags": []}', "text: is missing"),
        ('{"text": ""}', "text: is blank"),
        ('{"text": "\\ud800"}', "lone surrogate"),
        ('{"text": "a", "type": "dream"}', "type: expected one of"),
        ('{"text": "a", "tags": "x"}', "tags: expected several texts"),
        ('{"text": "a", "importance": 2}', "importance: expected"),
        ('{"text": "a", "importance": NaN}', "importance: expected"),
        (f'{{"text": "a", "importance": {"9" * 400}}}', "importance: expected a number from 0.0"),
        (f'{{"text": "a", "importance": {"9" * 5000}}}', "it is no JSON (Exceeds the limit"),
        ('{"text": "a", "importance": 1e999}', "importance: expected"),
        ('{"text": "a", "pinned": 1}', "pinned: expected"),
        (f'{{"text": "a", "context": {"[" * 100_000}', "it is nested too deeply"),
        (f'{{"text": "a", "type": {"[" * 900 + "]" * 900}}}', "episode, got [[[[[...]]]]];"),
        (f'{{"text": "a", "tags": {"[" * 900 + "]" * 900}}}', "tags: expected text, got list"),
        (f'{{"text": "a", "tags": "{"x" * 1_000_000}"}}', "xxxx'; the lines"),
        (f'{{"text": "a", "{"x" * 1_000_000}": 1}}', "xxxx: is not known"),
        (f'{{"text": "a", "metadata": {{"a": {"[" * 50 + "]" * 50}}}}}', "in more than 50 levels"),
        (
            f'{{"text": "a", "metadata": {{"a": {"[" * 900 + "]" * 900}}}}}',
            "in more than 50 levels",
        ),
        ('{"text": "a", "created_at": [2026]}', "created_at: expected a time"),
        ('{"text": "a", "created_at": "0001-01-01T00:00+23:59"}', "not within the years 1 to 9999"),
        ('{"text": "a", "updated_at": "9999-12-31T23:59-23:59"}', "not within the years 1 to 9999"),
        (f'{{"format": {"[" * 900 + "]" * 900}}}', "got [[[[[...]]]]];"),
        ('{"text": "a", "vector": {"model": "\\ud800", "failure": "x"}}', "lone surrogate"),
        ('{"text": "a", "vector": {"model": "m", "failure": "\\ud800"}}', "lone surrogate"),
        ('{"text": "a", "vector": {"model": "m", "float32": "AADAfw=="}}', "length 1"),
        ('{"text": "a", "id": "7"}', "id: expected a UUID"),
        ('{"text": "a", "created_at": "soon"}', "created_at: expected a time"),
        (
            '{"text": "a", "updated_at": "2026-03-01"}',
            "updated_at: 2026-03-01T00:00:00 has no time zone",
        ),
        ('{"text": "a", "metadata": [1]}', "metadata: expected names"),
        ('{"text": "a", "vector": 3}', "vector: expected an object"),
        ('{"text": "a", "vector": {"model": "m", "float32": "?"}}', "not base64"),
        ('{"text": "a", "vector": {"model": "m", "float32": "AAAAAA=="}}', "length 1"),
        (
            '{"text": "a", "vector": {"model": "plain/1", "float32": "AACAPw=="}}',
            "has 32 bytes here, got one of 4",
        ),
        ('{"format": "other"}', "expected the format"),
        ('{"format": "heimdall-memories", "version": 2}', "version 2 of the format"),
        ('{"format": "heimdall-memories", "version": 1}', "a header stands in the middle"),
    ],
)
def test_bad_line_is_named_with_its_number(memory: ProjectMemory, line: str, problem: str) -> None:
    memory.store(NewMemory(text="here"))
    with pytest.raises(JsonLineError, match="line 3: ") as caught:
        memory.import_lines(['{"text": "one"}', "", line, '{"text": "three"}'])
    assert problem in str(caught.value)
    assert caught.value.line == 3
    assert len(str(caught.value)) < 600
    assert "three" not in {item.text for item in memory.memories()}


def test_cut_off_file_is_noticed(memory: ProjectMemory, tmp_path: Path) -> None:
    memory.store_many([NewMemory(text="a"), NewMemory(text="b")])
    lines = list(memory.export_lines())
    with (
        PlainEmbedder().open(tmp_path / "other.db") as other,
        pytest.raises(JsonLineError, match="the file ends after 1 memories, its header promises 2"),
    ):
        other.import_lines(lines[:-1])


def test_export_is_of_one_moment(memory: ProjectMemory) -> None:
    memory.store_many(NewMemory(text=f"{number}") for number in range(100))
    lines = memory.export_lines()
    next(lines)
    with PlainEmbedder().open(memory.database) as other:
        other.delete_by_tags([])
        other.store(NewMemory(text="meanwhile"))
    assert len(list(lines)) == 100


def test_lines_of_bytes() -> None:
    stream = BytesIO("\ufeffone\ntwo\u2028\n\nthree".encode())
    assert list(read_lines(stream)) == ["one\n", "two\u2028\n", "\n", "three"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"one\nt\xffo\n", r"line 2: it is not UTF-8 \(byte 0xFF at 1\)"),
        (b"one\n" + b"x" * 101, "line 2: it has more than 100 bytes"),
    ],
)
def test_what_is_no_line_is_named(
    monkeypatch: pytest.MonkeyPatch, content: bytes, problem: str
) -> None:
    monkeypatch.setattr(json_lines, "LONGEST_LINE", 100)
    lines = read_lines(BytesIO(content))
    assert next(lines) == "one\n"
    with pytest.raises(JsonLineError, match=problem):
        next(lines)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
        max_leaves=20,
    ),
    st.sampled_from([*json_lines._KEYS, "format", "version", "memories"]),
)
def test_any_value_of_a_line_is_read_or_refused(value: object, key: str) -> None:
    lines = [json.dumps({"text": "a", key: value})]
    with suppress(JsonLineError):
        (line,) = LineReader().read(lines)
        assert line.number == 1
