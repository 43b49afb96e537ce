"""JSON Schemas of tools' arguments and results as clients understand them best: flat, without nulls and titles."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

_NESTED = ("items", "additionalProperties")


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of a model, every definition in its place.

    Many clients hand a schema to a language model or translate it for one, and stumble over `$ref` and over
    alternatives with null; a value that is absent here is left out instead.
    """
    schema = model.model_json_schema(mode="validation")
    # the model's docstring is for programmers; the tool has its own description
    schema.pop("description", None)
    return _flat_schema(schema, schema.pop("$defs", {}))


def _flat_schema(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in node:
        target = definitions[node["$ref"].rpartition("/")[2]]
        node = target | {key: value for key, value in node.items() if key != "$ref"}
    if "anyOf" in node:
        choices = [choice for choice in node["anyOf"] if choice != {"type": "null"}]
        if len(choices) == 1:
            rest = {key: value for key, value in node.items() if key not in {"anyOf", "default"}}
            return _flat_schema(choices[0] | rest, definitions)
    flat = {}
    for key, value in node.items():
        if key == "properties":
            flat[key] = {name: _flat_schema(schema, definitions) for name, schema in value.items()}
        elif key != "title":
            flat[key] = (
                _flat_schema(value, definitions)
                if isinstance(value, dict) and key in _NESTED
                else value
            )
    return flat
