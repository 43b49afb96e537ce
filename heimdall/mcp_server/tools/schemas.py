"""JSON Schemas of tools' arguments as clients understand them best: flat, and short."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

_LEFT_OUT = frozenset(
    ("title", "format", "maxLength", "minLength", "maxItems", "minItems", "additionalProperties")
)
"""What takes room and helps no model: the server checks it anyway. Some validators refuse a `format` that they don't
know, and arguments by other names, which the server understands.
"""


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
            # what has to be given is read first
            names = sorted(value, key=lambda name: name not in node.get("required", ()))
            flat[key] = {name: _flat_schema(value[name], definitions) for name in names}
        elif key not in _LEFT_OUT and value != []:
            flat[key] = (
                _flat_schema(value, definitions)
                if isinstance(value, dict) and key == "items"
                else value
            )
    return flat
