from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cognitive_memory.core.local_time import Span
from cognitive_memory.retrieval.priors import is_test_code, is_within, recency
from tests.support.plain_memory import MEMORY, NOW


def test_recency_halves_with_each_half_life() -> None:
    ages = (0, 90, 180, -5)
    found = [
        recency(replace(MEMORY, created_at=NOW - timedelta(days=age)), NOW, 90) for age in ages
    ]
    assert found == [1.0, 0.5, 0.25, 1.0]


def test_what_is_pinned_does_not_age() -> None:
    assert (
        recency(replace(MEMORY, created_at=NOW - timedelta(days=9000), pinned=True), NOW, 90) == 1.0
    )


@pytest.mark.parametrize(
    "source",
    [
        "tests/test_app.py",
        "axum/tests/panic.rs",
        "src/test/java/org/example/Retry.java",
        "spec/models/user_spec.rb",
        "web/__tests__/login.js",
        "pkg/server_test.go",
        "src/login.spec.ts",
        "src/login.test.tsx",
        "RetryTest.java",
        "conftest.py",
    ],
)
def test_test_code_is_known_by_its_file(source: str) -> None:
    assert is_test_code(replace(MEMORY, source=source, metadata={"kind": "code"}))
    # What explains tests is no test.
    assert not is_test_code(replace(MEMORY, source=source, metadata={"kind": "markdown"}))


@pytest.mark.parametrize(
    "source", ["src/latest.py", "contest/rules.py", "testing/util.py", "attest.go", None]
)
def test_other_code_is_no_test(source: str | None) -> None:
    assert not is_test_code(replace(MEMORY, source=source, metadata={"kind": "code"}))


def test_a_module_of_tests_in_the_file_that_it_tests() -> None:
    inside = replace(
        MEMORY,
        source="src/lib.rs",
        context="src/lib.rs > mod tests > fn retries()",
        metadata={"kind": "code"},
    )
    assert is_test_code(inside)
    assert not is_test_code(replace(inside, context="src/lib.rs > fn retries()"))


def test_a_span_ends_before_its_end() -> None:
    day = timedelta(days=1)
    assert is_within(MEMORY, [Span(NOW - day, NOW), Span(NOW, NOW + day)])
    assert not is_within(MEMORY, [Span(NOW - day, NOW), Span(NOW + day, NOW + 2 * day)])
    assert not is_within(MEMORY, [])
