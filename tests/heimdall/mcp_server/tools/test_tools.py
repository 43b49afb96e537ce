"""Storing, changing, deleting, status: through the SDK's client, in both eras of the protocol."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from tests.support.mcp_tools import call, fill, record_of, text_of

pytestmark = pytest.mark.anyio


async def test_a_memory_from_its_first_to_its_last_day(client: Client, project: Path) -> None:
    empty = await call(client, "recall_memories", query="parser")
    assert empty.structured_content["notes"] == ["This project has no memories yet."]
    assert "No memories found" in text_of(empty)
    assert not (project / ".heimdall").exists(), "looking makes nothing"

    stored = await call(
        client,
        "store_memory",
        text="The parser is written by hand",
        context={
            "hierarchy_level": 0,
            "memory_type": "episodic",
            "importance_score": 0.9,
            "tags": ["parser", " parser ", "design"],
            "source_info": "docs/parser.md",
            "ticket": 17,
        },
    )
    record = stored.structured_content["memory"]
    assert re.fullmatch(rf"Stored: L0 \(concept\), ID: {record['id']}.*", text_of(stored))
    told = await record_of(client, record["id"])
    assert (told["type"], told["importance_score"]) == ("concept", 0.9)
    assert (told["tags"], told["source"]) == (["parser", "design"], "docs/parser.md")
    assert not {"pinned", "truncated", "weak", "updated_at", "context"} & set(told)
    assert sorted(path.name for path in (project / ".heimdall").iterdir() if path.suffix != ".tmp")[
        :1
    ] == [".gitignore"]

    again = await call(
        client,
        "store_memory",
        text="The parser is written by hand",
        context={"source_info": "docs/parser.md"},
    )
    assert again.structured_content["memory"]["id"] == record["id"]
    assert "it was stored already, on " in text_of(again)
    assert "already" not in text_of(stored)

    found = await call(client, "recall_memories", query="parser")
    assert [memory["id"] for memory in found.structured_content["memories"]] == [record["id"]]
    assert "The parser is written by hand" in text_of(found)

    changed = await call(
        client,
        "update_memory",
        memory_id=record["id"],
        text="The parser is generated",
        pinned=True,
        memory_type="context",
    )
    assert changed.structured_content["memory"] == {"id": record["id"]}
    told = await record_of(client, record["id"])
    assert (told["text"], told["tags"]) == ("The parser is generated", ["parser", "design"])
    assert (told["type"], told["pinned"]) == ("context", True)
    assert "Updated text, type, pinned" in text_of(changed)
    assert f"heimdall history {record['id'][:8]} --forget" in text_of(changed)

    preview = await call(client, "delete_memory", memory_id=record["id"], dry_run=True)
    assert (preview.structured_content["dry_run"], preview.structured_content["count"]) == (True, 1)
    assert "would delete 1 memory" in text_of(preview)
    gone = await call(client, "delete_memory", memory_id=f" {record['id']} ")
    assert gone.structured_content["count"] == 1
    missing = await call(client, "delete_memory", memory_id=record["id"])
    assert missing.is_error
    assert record["id"] in text_of(missing)


@pytest.mark.parametrize(
    ("context", "kind"),
    [
        ({}, "episode"),
        ({"memory_type": "semantic"}, "context"),
        ({"memory_type": "episodic"}, "episode"),
        ({"memory_type": "concept"}, "concept"),
        ({"hierarchy_level": 1, "memory_type": "episodic"}, "context"),
        ('{"hierarchy_level": "0"}', "concept"),
        (None, "episode"),
        ({"hierarchy_level": None, "tags": None}, "episode"),
    ],
)
async def test_types_as_the_original_server_took_them(
    client: Client, context: object, kind: str
) -> None:
    stored = await call(client, "store_memory", text="something", context=context)
    assert (await record_of(client, stored.structured_content["memory"]["id"]))["type"] == kind


@pytest.mark.parametrize(
    "arguments",
    [
        {"context": {"memory_type": "decision", "importance_score": 0.8, "tags": "parser"}},
        {"context": {"type": "decision", "importance": 0.8, "tag": ["parser"]}},
        {"memory_type": "decision", "importance": 0.8, "tags": ["parser"]},
        {"context": {"importance": 0.8}, "type": "decision", "tags": "parser"},
    ],
)
async def test_a_decision_is_a_context_with_that_tag(
    client: Client, arguments: dict[str, Any]
) -> None:
    stored = await call(client, "store_memory", content="Parsers are written by hand", **arguments)
    assert not stored.is_error, text_of(stored)
    told = await record_of(client, stored.structured_content["memory"]["id"])
    assert (told["type"], told["tags"]) == ("context", ["parser", "decision"])
    assert told["importance_score"] == 0.8


async def test_lessons(client: Client) -> None:
    brief = await call(client, "session_lessons", lesson_content="be careful")
    assert brief.is_error
    assert "too brief" in text_of(brief)
    recorded = await call(
        client,
        "session_lessons",
        lesson_content="Measure before you replace a parser by another one",
        lesson_type="warning",
        session_context="rewriting the parser",
        importance="critical",
    )
    record = await record_of(client, recorded.structured_content["memory"]["id"])
    assert record["tags"] == ["session_lesson", "warning"]
    assert (record["type"], record["importance_score"], record["context"]) == (
        "context",
        1.0,
        "rewriting the parser",
    )
    assert text_of(recorded).startswith(f"Lesson recorded: warning, critical, ID: {record['id']}")


async def test_what_is_stored_already_in_other_words_is_named(client: Client) -> None:
    text = "Releases are cut from the main branch every second Tuesday"
    stored = await call(client, "store_memory", text=text)
    assert "like what" not in text_of(stored)
    again = "Every second Tuesday a release is cut from main"
    for tool, argument in (("store_memory", "text"), ("session_lessons", "lesson_content")):
        told = await call(client, tool, **{argument: f"{again} ({tool})"})
        (note,) = [one for one in told.structured_content["notes"] if one.startswith("like what")]
        assert f'{stored.structured_content["memory"]["id"]} "{text}"' in note
        assert "update_memory it and delete_memory this one" in note
        assert note in text_of(told)
    last = told.structured_content["memory"]["id"]
    changed = await call(client, "update_memory", memory_id=last, text=text)
    assert f"like what is stored: {stored.structured_content['memory']['id']}" in text_of(changed)


async def test_deleting_by_tags_shows_first_and_then_does_it(client: Client) -> None:
    await fill(client)
    preview = await call(client, "delete_memories_by_tags", tags=["parser"], dry_run=True)
    assert (preview.structured_content["count"], preview.structured_content["dry_run"]) == (2, True)
    assert "Greta" not in text_of(preview)
    status = await call(client, "memory_status")
    assert status.structured_content["memory_counts"]["total"] == 3
    gone = await call(client, "delete_memories_by_tags", tags=["parser", "unheard of"])
    assert gone.structured_content["count"] == 2
    nothing = await call(client, "delete_memories_by_tags", tags=["parser"])
    assert nothing.structured_content["count"] == 0
    assert "nothing was deleted" in text_of(nothing)
    for tags in ([], ["  "], "", None):
        assert (await call(client, "delete_memories_by_tags", tags=tags)).is_error


async def test_the_beginning_of_an_id_names_a_memory_as_hooks_and_commands_show_it(
    client: Client,
) -> None:
    memory_id, *_ = await fill(client)
    short = f" {memory_id[:8]} "
    assert (await record_of(client, short))["id"] == memory_id
    await call(client, "update_memory", memory_id=short, tags=["renamed"])
    assert (await record_of(client, memory_id))["tags"] == ["renamed"]
    shown = await client.read_resource(f"heimdall://memory/{memory_id[:8]}")
    assert memory_id in shown.contents[0].text  # type: ignore[union-attr]
    gone = await call(client, "delete_memory", memory_id=short)
    assert gone.structured_content["memories"][0]["id"] == memory_id
    unknown = await call(client, "get_memory", memory_id=short)
    assert f"no memory has the id {short.strip()}" in text_of(unknown)


async def test_status(client: Client, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = await call(client, "memory_status")
    assert before.structured_content["project"]["exists"] is False
    await fill(client)
    monkeypatch.setenv("HEIMDALL_GITHUB_TOKEN", "very-secret")
    after = await call(client, "memory_status", detailed=True)
    content = after.structured_content
    assert content["project"]["root"] == str(project)
    assert content["memory_counts"]["total"] == 3
    assert content["memory_counts"]["by_type"]["episode"] == 3
    assert content["details"]["tags"] == {"parser": 2, "decision": 1, "people": 1}
    assert content["details"]["process"] == os.getpid()
    assert "HEIMDALL_GITHUB_TOKEN" in content["details"]["variables_set"]
    assert "very-secret" not in after.model_dump_json()
