from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognitive_memory.ingest.processor_time import processor_time
from cognitive_memory.ingest.rules import Rules


@pytest.mark.parametrize(
    ("rule", "fits", "fits_not"),
    [
        ("*.md", ["a.md", "b/a.md", "d.md/"], ["a.mdx", "md"]),
        ("/a", ["a", "a/"], ["b/a"]),
        ("a/", ["a/", "b/a/"], ["a"]),
        ("a/b", ["a/b", "a/b/"], ["c/a/b", "a/bb"]),
        ("**/c", ["c", "a/b/c"], ["a/cc"]),
        ("b/**", ["b/a", "b/a/c/"], ["b/", "b"]),
        ("b/**/", ["b/a/"], ["b/a", "b/"]),
        ("a/**/b", ["a/b", "a/x/y/b"], ["a/xb", "b"]),
        ("**/a/*/b/**/c", ["a/x/b/c", "y/a/x/b/z/c"], ["a/b/c"]),
        ("a**b", ["ab", "axxb"], ["a/b"]),
        ("a/*", ["a/b", "a/b/"], ["a/", "a"]),
        ("***/a", ["a", "b/a"], ["ba"]),
        ("?.md", ["a.md"], ["ab.md", ".md"]),
        ("[]a-c]x", ["]x", "bx"], ["dx"]),
        ("[!a-c]x", ["dx"], ["bx", "x"]),
        ("[^a]/b", ["x/b"], ["a/b"]),
        ("[[:digit:][:upper:]-]", ["7", "A", "-"], ["a"]),
        ("a[/]b", [], ["a/b", "ab"]),
        ("[a-c/]", ["b"], ["/", "d"]),
        ("\\!a\\*", ["!a*"], ["!ab", "a*"]),
        ("\\#a", ["#a"], ["a"]),
        ("a\\ ", ["a "], ["a"]),
        ("a  ", ["a"], ["a "]),
        ("a b", ["a b"], ["a", "b"]),
        ("é?", ["éé"], ["é"]),
    ],
)
def test_a_rule(rule: str, fits: list[str], fits_not: list[str]) -> None:
    rules = Rules.of([rule])
    assert rules.wrong == ()
    assert [name for name in fits if rules.verdict(name) is None] == []
    assert [name for name in fits_not if rules.verdict(name) is not None] == []


@pytest.mark.parametrize("line", ["\\", "a\\", "[a", "[z-a]", "[[:odd:]]", "[]", "/", "!", "a//b"])
def test_a_line_that_is_no_rule(line: str) -> None:
    rules = Rules.of(["a", line, "b"])
    assert rules.wrong == (line,)
    assert rules.verdict("a")
    assert rules.verdict("b")


def test_the_last_rule_that_fits_decides() -> None:
    rules = Rules.of(["*.md", "# note", "", "!a.md", "b/a.md"])
    names = ("x.md", "a.md", "b/a.md", "x")
    assert [rules.verdict(name) for name in names] == [True, False, True, None]


def test_the_last_one_of_many_that_fits_decides() -> None:
    """The time for each of 10,000 rules must not grow with their number."""
    rules = Rules.of([*(f"*{number}" for number in range(10_000)), "!*7", *["*x", "!*y"] * 300])
    with processor_time(20):
        for _ in range(100):
            assert rules.verdict("no such name") is None
    assert [rules.verdict(name) for name in ("a8", "a7", "ax", "ay")] == [True, False, True, False]


def test_no_rules() -> None:
    assert not Rules.of(["", "# note", "/"])
    assert Rules.of([]).verdict("a") is None


@pytest.mark.parametrize(
    ("name", "verdict"),
    [("docs/a/b", True), ("docs/", True), ("docs/old/a", False), ("src/docs", None)],
)
def test_the_verdict_on_the_nearest_folder(name: str, verdict: bool | None) -> None:
    assert Rules.of(["docs/", "!old/"]).verdict_below(name) is verdict


@given(
    rule=st.text(alphabet="ab*?[]!^-/\\ ", max_size=12),
    name=st.text(alphabet="ab/[]!- ", min_size=1, max_size=12),
)
def test_any_line_is_a_rule_or_none(rule: str, name: str) -> None:
    rules = Rules.of([rule])
    assert rules.verdict(name) in {True, False, None}


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("*a" * 8 + "*b", "a" * 60),
        ("*a" * 60 + "*b", "a" * 250),
        ("**/a/" * 30 + "b", "a/" * 500 + "c"),
        ("**/*a*a/" * 30 + "b", "aaaa/" * 200 + "c"),
        ("*" * 60_000 + "b", "a" * 250),
        ("[" * 60_000, "a"),
        ("?*" * 60 + "b", "a" * 250),
    ],
)
def test_no_rule_takes_long(rule: str, name: str) -> None:
    """A usual translation into regular expressions takes years."""
    with processor_time(20):
        assert Rules.of([rule]).verdict(name) is None
