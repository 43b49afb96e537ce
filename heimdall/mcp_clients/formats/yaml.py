"""Changes what stands at one path of keys of a YAML document, and leaves every other character.

PyYAML says where each node stands in the text; the edit is made there. Libraries that keep comments
write the whole document anew, with their own indentation and quotes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import yaml

from heimdall.mcp_clients.errors import FormatError
from heimdall.mcp_clients.formats.texts import nested, newline_of, with_lines

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(text: str) -> Any:
    """The content of a document; None if there is none.

    Raises:
        FormatError: it is not one YAML document of plain values; the message has line and column.
    """
    try:
        return yaml.load(text, _LOADER)  # noqa: S506  both are the safe one
    # an ill-formed date and a list as a key are no YAMLError
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        told = " ".join(str(error).split())
        raise FormatError(told.replace(' in "<unicode string>",', ":")) from None


def put(text: str, keys: Sequence[str], content: object) -> str:
    """Set the value at a path of keys; mappings on the way are made where they are missing.

    Raises:
        FormatError: the text is not YAML, or something on the way is not a mapping.

    >>> print(put("a: 1 # kept", ["b"], 2), end="")
    a: 1 # kept
    b: 2
    """
    read(text)
    root = yaml.compose(text, yaml.SafeLoader)
    if root is None:
        return _block(text, len(text), nested(keys, content), 0)
    holder, key_end, indent = root, 0, 0
    for depth, key in enumerate(keys):
        if not isinstance(holder, yaml.MappingNode):
            if depth and holder.tag == "tag:yaml.org,2002:null":
                keys, content = keys[:depth], nested(keys[depth:], content)
                if holder.value:
                    break
                at = _line_end(text, text.find(":", key_end))
                return _block(text, at, content, indent + 2)
            name = ".".join(keys[:depth]) or "the document"
            raise FormatError(f"{name} is no mapping")
        pair = _pair(holder, key)
        if pair is None:
            return _insert(text, holder, nested(keys[depth:], content))
        key_end, indent, holder = pair[0].end_mark.index, pair[0].start_mark.column, pair[1]
    return text[:key_end] + ": " + _flow(content) + text[_end(text, holder) :]


def remove(text: str, keys: Sequence[str]) -> str:
    r"""Remove what stands at a path of keys, and the mappings on the way that become empty by that.

    Raises:
        FormatError: the text is not YAML.

    >>> print(remove("a: 1 # kept\nb:\n  c: 2\n", ["b", "c"]), end="")
    a: 1 # kept
    """
    read(text)
    node = yaml.compose(text, yaml.SafeLoader)
    path: list[tuple[yaml.MappingNode, yaml.Node, yaml.Node]] = []
    for key in keys:
        if not isinstance(node, yaml.MappingNode) or (pair := _pair(node, key)) is None:
            return text
        path.append((node, *pair))
        node = pair[1]
    while len(path) > 1 and len(path[-1][0].value) == 1:
        path.pop()
    holder, key_node, value = path[-1]
    start, end = key_node.start_mark.index, _end(text, value)
    if holder.flow_style:
        if text[end:].lstrip().startswith(","):
            end = text.index(",", end) + 1
            end += len(text[end:]) - len(text[end:].lstrip(" "))
        else:
            start = len(text[:start].rstrip().removesuffix(","))
    else:
        line = text.rfind("\n", 0, start) + 1
        if text[line:start].strip():  # behind the dash of a list, or the like
            raise FormatError(f"{'.'.join(keys)} is written in a form that can't be edited")
        start, end = line, _line_end(text, end)
    return text[:start] + text[end:]


def _pair(holder: yaml.MappingNode, key: str) -> tuple[yaml.Node, yaml.Node] | None:
    for name, value in holder.value:
        if isinstance(name, yaml.ScalarNode) and name.value == key:
            return name, value
    return None


def _end(text: str, node: yaml.Node) -> int:
    """Where a node ends; a block's own mark stands at what follows it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(text, last[1] if isinstance(last, tuple) else last)
    start, end = int(node.start_mark.index), int(node.end_mark.index)
    return start + len(text[start:end].rstrip())


def _line_end(text: str, at: int) -> int:
    """Where the next line begins."""
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _insert(text: str, holder: yaml.MappingNode, content: object) -> str:
    if not holder.flow_style:
        indent = holder.value[0][0].start_mark.column
        return _block(text, _line_end(text, _end(text, holder)), content, indent)
    end = holder.end_mark.index - 1
    before = text[:end].rstrip()
    comma = "" if before.endswith(("{", ",")) else ", "
    return before + comma + _flow(content)[1:-1] + text[end:]


def _block(text: str, at: int, content: object, indent: int) -> str:
    """Insert a mapping as lines of its own."""
    made = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=10**6)
    lines = "".join(" " * indent + line + newline_of(text) for line in made.splitlines())
    return with_lines(text, at, lines)


def _flow(content: object) -> str:
    """JSON, which YAML can read."""
    return json.dumps(content, ensure_ascii=False)
