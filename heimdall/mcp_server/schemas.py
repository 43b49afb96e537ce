"""JSON Schemas of tools' arguments and results as clients understand them best: flat, without nulls and titles."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of a model, every definition in its place.

    Many clients hand a schema to a language model or translate it for one, and stumble over `$ref` and over
    alternatives with null; a value that is absent here is left out instead.
    """
    schema = model.model_json_schema(mode="validation")
    definitions = schema.pop("$defs", {})
    flat = _flat(schema, definitions)
    assert isinstance(flat, dict)
    flat.pop("description", None)  # the model's docstring is for programmers; the tool has its own description
    return flat


def _flat(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_flat(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = definitions[node["$ref"].rpartition("/")[2]]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    if "anyOf" in node:
        choices = [choice for choice in node["anyOf"] if choice != {"type": "null"}]
        if len(choices) == 1:
            rest = {key: value for key, value in node.items() if key not in {"anyOf", "default"}}
            return _flat({**choices[0], **rest}, definitions)
    return {
        key: {name: _flat(value, definitions) for name, value in value.items()}
        if key == "properties"
        else _flat(value, definitions)
        for key, value in node.items()
        if key != "title"
    }
