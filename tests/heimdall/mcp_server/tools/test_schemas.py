from __future__ import annotations

import json
from typing import Annotated, Any

import jsonschema
import pytest
from pydantic import BaseModel, Field

from heimdall.mcp_server.tools.calling import TOOLS
from heimdall.mcp_server.tools.schemas import schema_of


class Inner(BaseModel):
    title: Annotated[str, Field(description="of the book")]


class Outer(BaseModel):
    """For programmers."""

    one: Annotated[Inner | None, Field(description="perhaps")] = None
    many: Annotated[list[Inner], Field(max_length=2)]
    by_name: dict[str, int]
    either: int | str = 5


def test_a_schema_is_flat_and_says_all_that_the_model_says() -> None:
    inner = {
        "type": "object",
        "properties": {"title": {"type": "string", "description": "of the book"}},
        "required": ["title"],
    }
    assert schema_of(Outer) == {
        "type": "object",
        "properties": {
            "many": {"type": "array", "items": inner},
            "by_name": {"type": "object"},
            "one": {**inner, "description": "perhaps"},
            "either": {"anyOf": [{"type": "integer"}, {"type": "string"}], "default": 5},
        },
        "required": ["many", "by_name"],
    }


def keys(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return {key for item in schema for key in keys(item)}
    if not isinstance(schema, dict):
        return set()
    return set(schema) | {key for value in schema.values() for key in keys(value)}


@pytest.mark.parametrize("tool", [tool.listed for tool in TOOLS.values()], ids=list(TOOLS))
def test_schemas_of_tools_are_sound(tool: Any) -> None:
    schema = tool.input_schema
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["type"] == "object"
    # Strict clients would refuse some of these, or arguments by the other names that the server understands.
    assert not keys(schema) & {"$ref", "$defs", "anyOf", "null", "format", "additionalProperties"}
    assert tool.output_schema is None
    assert tool.title
    assert len(tool.description) >= 30
    hints = tool.annotations.model_dump(exclude_none=True)
    assert set(hints) == {
        "read_only_hint",
        "destructive_hint",
        "idempotent_hint",
        "open_world_hint",
    }
    assert hints["open_world_hint"] is False


def test_names_and_parameters_are_those_that_users_know() -> None:
    known = {
        "store_memory": {"text", "context"},
        "recall_memories": {"query", "types", "max_results", "date_range"},
        "session_lessons": {"lesson_content", "lesson_type", "session_context", "importance"},
        "memory_status": {"detailed"},
        "delete_memory": {"memory_id", "dry_run"},
        "delete_memories_by_tags": {"tags", "dry_run"},
        "update_memory": {"memory_id"},
    }
    listed = {name: tool.listed.input_schema["properties"] for name, tool in TOOLS.items()}
    assert list(listed) == [*known, "list_memories", "get_memory"]
    for name, parameters in known.items():
        assert parameters <= set(listed[name])
    context = listed["store_memory"]["context"]["properties"]
    assert {"hierarchy_level", "memory_type", "importance_score", "tags", "source_info"} <= set(
        context
    )


def test_the_list_takes_little_room_in_a_conversation() -> None:
    """1,800 tokens at most: o200k_base makes one of 4.5 characters of it."""
    tools = [
        tool.listed.model_dump(mode="json", by_alias=True, exclude_none=True)
        for tool in TOOLS.values()
    ]
    written = json.dumps({"tools": tools}, separators=(",", ":"), ensure_ascii=False)
    assert len(written) <= 7_500
