from __future__ import annotations

from dataclasses import replace

import pytest

from cognitive_memory.core.memory import Origin
from cognitive_memory.core.recall import Hit
from cognitive_memory.retrieval.duplicates import dedup_key, without_duplicates
from tests.support.plain_memory import MEMORY


def hit(text: str, score: float, source: str | None, origin: Origin) -> Hit:
    memory = replace(MEMORY, id=f"id of {source}", text=text, source=source, origin=origin)
    return Hit(memory=memory, score=score, parts={})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("We deploy on Fridays.", "we  deploy on\nfridays"),
        ('He said "yes"', "he said yes!"),
        ("ﬁle", "file"),
        ("...", "..."),
    ],
)
def test_alike(one: str, other: str) -> None:
    assert dedup_key(one) == dedup_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("timeout is -5", "timeout is 5"),
        ("version 1.2", "version 12"),
        ("use C", "use C++"),
        ("we do deploy", "we do not deploy"),
        ("...", "!!!"),
        ("किताब", "कताब"),
    ],
)
def test_different(one: str, other: str) -> None:
    assert dedup_key(one) != dedup_key(other)


def test_of_one_text_the_best_origin_stays_at_the_first_place_and_names_the_others() -> None:
    found = [
        hit("A", 4, "old.jsonl", Origin.ADOPTED),
        hit("b", 3, "b.md", Origin.COMMIT),
        hit("a.", 2, "docs/a.md", Origin.DOCUMENT),
        hit("a", 1, "README.md", Origin.DOCUMENT),
        hit("A", 1, None, Origin.CAPTURED),
        hit("A", 1, "README.md", Origin.DOCUMENT),
    ]
    one, other = without_duplicates(found)
    assert (one.memory.source, one.score) == ("docs/a.md", 4)
    assert one.other_places == ("old.jsonl", "README.md", "id of None")
    assert (other.memory.source, other.score, other.other_places) == ("b.md", 3, ())


def test_what_was_put_together_is_put_together_again() -> None:
    (document,) = without_duplicates(
        [hit("A", 2, "a.md", Origin.DOCUMENT), hit("a", 1, "b.md", Origin.DOCUMENT)]
    )
    (one,) = without_duplicates([document, hit("A", 1, "mine", Origin.STORED)])
    assert (one.memory.source, one.other_places) == ("mine", ("a.md", "b.md"))
