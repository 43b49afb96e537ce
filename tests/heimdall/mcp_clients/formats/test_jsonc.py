from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heimdall.mcp_clients.errors import FormatError
from heimdall.mcp_clients.formats import jsonc

ZED = """\
// Zed settings
{
  "theme": "One Dark", // dark
  /* servers */
  "context_servers": {
    "other": { "command": "x", "args": [] }, // keep me
  },
}
"""


def test_inserts_beside_comments_and_trailing_commas() -> None:
    changed = jsonc.put(ZED, ["context_servers", "heimdall"], {"command": "heimdall-mcp"})
    assert changed == ZED.replace(
        "// keep me\n", '// keep me\n    "heimdall": {\n      "command": "heimdall-mcp"\n    },\n'
    )
    assert jsonc.remove(changed, ["context_servers", "heimdall"]) == ZED


def test_the_comma_stands_before_the_comment_of_the_line() -> None:
    text = '{\n\t"a": 1 // one\n}'
    changed = jsonc.put(text, ["b"], 2)
    assert changed == '{\n\t"a": 1, // one\n\t"b": 2\n}'
    assert jsonc.remove(changed, ["b"]) == text


@pytest.mark.parametrize("text", ["", " \n", "{}\n"])
def test_an_empty_document_is_filled(text: str) -> None:
    assert jsonc.put(text, ["servers", "h"], {"a": 1}) == (
        '{\n  "servers": {\n    "h": {\n      "a": 1\n    }\n  }\n}\n'
    )


def test_objects_that_become_empty_go_but_not_those_with_a_comment() -> None:
    made = jsonc.put('{\n  "x": 1\n}\n', ["servers", "h"], {})
    assert jsonc.remove(made, ["servers", "h"]) == '{\n  "x": 1\n}\n'
    commented = '{"servers": { // mine\n"h": 1}}'
    assert jsonc.read(jsonc.remove(commented, ["servers", "h"])) == {"servers": {}}
    assert "// mine" in jsonc.remove(commented, ["servers", "h"])


def test_one_line_stays_one_line() -> None:
    text = '{"mcpServers": {"a": {}}}'
    changed = jsonc.put(text, ["mcpServers", "b"], 1)
    assert changed == '{"mcpServers": {"a": {}, "b": 1}}'
    assert jsonc.remove(changed, ["mcpServers", "b"]) == text


def test_line_ends_of_windows_stay() -> None:
    changed = jsonc.put('{\r\n  "a": 1\r\n}\r\n', ["s", "h"], {"x": [1]})
    assert "\n" not in changed.replace("\r\n", "")


def test_equal_values_change_nothing() -> None:
    text = '{"a" : {"b":   [1,2]}}'
    assert jsonc.put(text, ["a", "b"], [1, 2]) is text
    assert jsonc.remove(text, ["a", "c"]) is text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "line 1 column 2"),
        ('{"a": 1', "line 1 column 8"),
        ('{"a" 1}', "Expecting ':' delimiter: line 1 column 6"),
        ('{\n"a": 1\n"b": 2}', "Expecting ',' delimiter: line 3 column 1"),
        ('{"a": 1} x', "Extra data: line 1 column 10"),
        ("{,}", "line 1 column 2"),
        ('{"a": [1,,]}', "line 1 column 10"),
        ('{"a": 1 /* }', "line 1 column 9"),
        ('{"a": NaN}', "NaN is not allowed"),
        ('{"a": nul}', "Expecting value: line 1 column 7"),
        ('{"a": "\n"}', "Invalid control character at: line 1 column 8"),
        ("{'a': 1}", "line 1 column 2"),
        ("[" * 100_000, "recursion"),
        ("[]", "the document is no object"),
        ('{"s": 3}', "s is no object"),
    ],
)
def test_what_is_no_document_is_told_with_its_place(text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message.replace("(", r"\(")):
        jsonc.put(text, ["s", "h"], 1)


KEYS = st.sampled_from(["a", "b", "servers", 'q"', "ü"])
CONTENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
GAPS = st.sampled_from(["", " ", "\n", "\n    ", " // c, {\n", "/* , } */", "\r\n\t"])


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[str, object]]:
    content: dict[str, object] = dict(draw(st.dictionaries(KEYS, CONTENTS, max_size=3)))

    def write(value: object) -> str:
        if isinstance(value, dict):
            comma = draw(st.sampled_from(["", ","])) if value else ""
            inside = ",".join(
                f"{draw(GAPS)}{json.dumps(k)}{draw(GAPS)}:{draw(GAPS)}{write(v)}{draw(GAPS)}"
                for k, v in value.items()
            )
            return "{" + inside + comma + draw(GAPS) + "}"
        return json.dumps(value)

    return draw(GAPS) + write(content) + draw(GAPS), content


@settings(max_examples=50)
@given(documents(), KEYS, KEYS, CONTENTS)
def test_setting_and_removing_do_what_they_do_to_a_dict(
    document: tuple[str, dict[str, object]], first: str, second: str, value: object
) -> None:
    text, content = document
    assert jsonc.read(text) == content
    holder = content.get(first, {})
    if not isinstance(holder, dict):
        with pytest.raises(FormatError):
            jsonc.put(text, [first, second], value)
        return
    changed = jsonc.put(text, [first, second], value)
    assert jsonc.read(changed) == {**content, first: {**holder, second: value}}
    assert jsonc.put(changed, [first, second], value) == changed
    assert second in holder or changed.count("//") >= text.count("//")
    assert first in content or first not in jsonc.read(jsonc.remove(changed, [first, second]))
    left = jsonc.read(jsonc.remove(changed, [first, second]))
    assert left.get(first, {}) == {key: kept for key, kept in holder.items() if key != second}
    assert {key: kept for key, kept in left.items() if key != first} == {
        key: kept for key, kept in content.items() if key != first
    }


@given(st.text(alphabet='{}[]":, \n/*ab1\\', max_size=30))
def test_any_text_is_read_as_json_reads_it_or_refused(text: str) -> None:
    try:
        content = jsonc.read(text)
    except FormatError:
        with pytest.raises(json.JSONDecodeError):
            json.loads(text)
    else:
        if (
            "/" not in text
            and ",]" not in text.replace(" ", "").replace("\n", "")
            and ",}" not in text.replace(" ", "").replace("\n", "")
        ):
            assert json.loads(text) == content
