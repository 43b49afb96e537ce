from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognitive_memory.ingest.front_matter import FrontMatter, read_front_matter
from cognitive_memory.ingest.processor_time import processor_time

BOMB = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + step)}: &{chr(98 + step)} [*{chr(97 + step)}, *{chr(97 + step)}]\n"
    for step in range(24)
)
MERGES = "a: &a {x: 1}\n" + "".join(
    f"{chr(98 + step)}: &{chr(98 + step)} {{<<: [*{chr(97 + step)}, *{chr(97 + step)}]}}\n"
    for step in range(24)
)
ODD = [
    "a: !!bool perhaps",
    "a: !!timestamp foo",
    "a: !!int ''",
    "a: !!python/object:os.system x",
    "a: 0x" + "f" * 5000,
    "a: " + "9" * 5000,
    "a: 2026-99-99",
    "? [complex]\n: key",
    "a: 1:1:1:1:1:1:1:1:1:1:99999",
    BOMB,
    MERGES,
]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "title: The\n  Guide\ntags: [manual, ' two words ', '']",
            ("The Guide", ("manual", "two words")),
        ),
        ("tags: a, b", (None, ("a", "b"))),
        ("keywords:\n- 2026\n- yes\n- ~\n- [x]", (None, ("2026", "yes"))),
        ("title: 3\ntags: 4", ("3", ("4",))),
        ("title: null\ntags:", (None, ())),
        ("title: [x]\ntags: {x: y}", (None, ())),
        ('title: "\\ud800"', ("?", ())),
        ("- a list", (None, ())),
        ("a: [", (None, ())),
        ("\x01", (None, ())),
        ("[\n" * 7_500, (None, ())),
        ("- " * 7_000, (None, ())),
        ("title: x" + " " * 20_000, (None, ())),
        ("tags: [" + "a, " * 5000 + "]", (None, ("a",) * 32)),
    ],
)
def test_front_matter(text: str, said: tuple[str | None, tuple[str, ...]]) -> None:
    assert read_front_matter(text) == FrontMatter(*said)


@pytest.mark.parametrize("odd", ODD)
def test_a_value_that_is_none_leaves_the_others(odd: str) -> None:
    with processor_time(10):
        assert read_front_matter(f"{odd}\ntitle: x\n") == FrontMatter("x")


@given(st.lists(st.sampled_from([*"[]{}:,-&*!|>'\"%@`#?\n a", "title: ", "tags: ", *ODD])))
def test_any_text_is_survived(parts: list[str]) -> None:
    assert isinstance(read_front_matter("".join(parts)), FrontMatter)
