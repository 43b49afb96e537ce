"""What tells for or against a memory, whatever is asked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from cognitive_memory.core.local_time import Span
from cognitive_memory.core.memory import COMMENT_KINDS, Memory

_SECONDS_PER_DAY = 86_400
_TEST_FILE = re.compile(
    r"(?:^|/)(?:__tests__|e2e|specs?|tests?)/|"  # a folder of tests
    r"(?:^|/)(?:conftest|test_[^/]*|[^/]*(?:[._-](?:spec|tests?)|[a-z\d](?:Spec|Tests?)))\.\w+$"
)
_TEST_MODULE = re.compile(r"(?:^| > )mod tests?\b")


def recency(memory: Memory, now: datetime, half_life_days: float) -> float:
    """1.0 for what happens now or is pinned, half as much for each half-life that it is older."""
    if memory.pinned:
        return 1.0
    days = max(0.0, (now - memory.created_at).total_seconds() / _SECONDS_PER_DAY)
    return float(0.5 ** (days / half_life_days))


def is_within(memory: Memory, spans: Iterable[Span]) -> bool:
    """Whether what it tells of happened in one of the spans."""
    return any(span.since <= memory.created_at < span.until for span in spans)


def is_answer(memory: Memory) -> bool:
    """Whether what stands before it, the last turn or a heading, asks something."""
    return memory.context.rstrip().endswith(("?", "\uff1f"))


def is_test_code(memory: Memory) -> bool:
    """Whether it is a comment or docstring of tests, by the names that most languages give their files.

    Rust has them in a module of the file that they test. A README among tests is none of this.
    """
    if memory.metadata.get("kind") not in COMMENT_KINDS:
        return False
    file = _TEST_FILE.search(memory.source or "")
    return file is not None or _TEST_MODULE.search(memory.context) is not None
