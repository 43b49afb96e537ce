"""What is wrong with a tool's arguments, and how they are meant to be."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from cognitive_memory.core.values import shown
from heimdall.mcp_server.tools.schemas import schema_of
from heimdall.quoting import clean

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

_MOST_PROBLEMS: Final = 10


def explained(tool: str, arguments: type[BaseModel], error: ValidationError) -> str:
    """Each mistake with the argument's right form, then all arguments of the tool."""
    schema = schema_of(arguments)
    problems = [_problem(each, schema) for each in error.errors(include_url=False)]
    required = schema.get("required", ())
    takes = (
        f"{name}{' (required)' if name in required else ''}: {_form(argument)}"
        for name, argument in schema["properties"].items()
    )
    return "\n".join(
        [
            f"{tool} was not run: its arguments are wrong.",
            *(f"- {problem}" for problem in problems[:_MOST_PROBLEMS]),
            f"{tool} takes",
            *(f"- {each}" for each in takes),
        ]
    )


def _problem(mistake: ErrorDetails, schema: dict[str, Any]) -> str:
    *above, name = mistake["loc"] or ("the arguments",)
    place = clean(".".join(map(str, mistake["loc"]))[:200]) or "the arguments"
    known = _at(schema, above).get("properties", {})
    if mistake["type"] == "extra_forbidden":
        close = get_close_matches(str(name)[:100], known, 1)
        return f"{place}: there is no such argument{f'; did you mean {close[0]}?' if close else ''}"
    form = _form(_at(schema, mistake["loc"]))
    if mistake["type"] == "missing":
        return f"{place} is missing; expected {form}"
    if mistake["type"].endswith(("too_long", "too_short")):
        end, limit = (
            ("least", "min_length") if "short" in mistake["type"] else ("most", "max_length")
        )
        many = mistake["ctx"][limit]
        unit = (
            f" character{'' if many == 1 else 's'}" if mistake["type"].startswith("string") else ""
        )
        return f"{place}: expected {form}, at {end} {many:,}{unit}"
    reason = str(mistake.get("ctx", {}).get("error", "")) or f"expected {form}"
    return f"{place}: got {clean(shown(mistake['input']))}; {reason}"


def _at(schema: dict[str, Any], place: Any) -> dict[str, Any]:
    """The schema of a place in the arguments; an empty one where there is none."""
    for part in place:
        inner = (
            schema.get("items") if isinstance(part, int) else schema.get("properties", {}).get(part)
        )
        schema = inner or {}
    return schema


def _form(schema: dict[str, Any]) -> str:
    """What a value has to be, in words.

    >>> _form({"type": "integer", "minimum": 1, "maximum": 50})
    'a whole number from 1 to 50'
    """
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}"
    kind = schema.get("type")
    if kind in {"integer", "number"}:
        ends = [f"{schema[end]:g}" for end in ("minimum", "maximum") if end in schema]
        number = "a whole number" if kind == "integer" else "a number"
        return f"{number} from {' to '.join(ends)}" if len(ends) == 2 else number
    if kind == "object":
        return f"an object with {', '.join(schema.get('properties', {})) or 'names and values'}"
    forms = {"array": "a list of texts", "boolean": "true or false", "string": "text"}
    return forms.get(str(kind), "another value")
