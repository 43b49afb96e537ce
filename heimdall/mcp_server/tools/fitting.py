"""How much of each memory an answer shows, so that the whole answer keeps within its tokens."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cognitive_memory.core.excerpt import beginning_in_tokens, excerpt_in_tokens
from cognitive_memory.core.memory import Memory
from cognitive_memory.core.tokens import tokens
from heimdall.mcp_server.tools import texts
from heimdall.mcp_server.tools.results import MemoryRecord
from heimdall.quoting import clean

_FRAME: Final = 150
"""Tokens of an answer's own lines: heading, notes, cursor."""
_LEAST: Final = 60
"""Tokens of text below which a memory is left to the next page."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A memory that an answer is to show; `weak` if it is unlikely to answer, and where else its text is."""

    memory: Memory
    weak: bool = False
    also_in: Sequence[str] = ()

    def record(self, text: str | None = None, *, whole: bool = True) -> MemoryRecord:
        """As `MemoryRecord.of`."""
        return MemoryRecord.of(
            self.memory, text=text, whole=whole, weak=self.weak, also_in=self.also_in
        )


def fitted(
    wanted: Sequence[Shown], max_tokens: int, *, question: str = "", most_each: int | None = None
) -> list[MemoryRecord]:
    """As many of the memories as fit, in their order, at least one; long ones by what the question is about.

    Short memories are shown whole, and what they leave is shared by the longer ones.

    Args:
        wanted: what is to be shown.
        max_tokens: of the whole answer, as `core.tokens` estimates them.
        question: what excerpts are chosen by.
        most_each: tokens of one text at most.
    """
    rest = max_tokens - _FRAME
    heads, costs = list[int](), list[int]()
    for shown in wanted:
        head = _head(shown)
        cost = _cost(shown.memory.text, most_each or rest)
        if costs and head + min(cost, _LEAST) > rest - sum(heads) - sum(
            min(each, _LEAST) for each in costs
        ):
            break
        heads.append(head)
        costs.append(cost)
    share = max(_LEAST, _share(costs, rest - sum(heads)))
    share = min(share, most_each or share)
    return [
        _record(shown, question, cost, share) for shown, cost in zip(wanted, costs, strict=False)
    ]


def longest_part(text: str, max_tokens: int) -> str:
    """The longest beginning of a text that an answer of so many tokens has room for, ended between words."""
    return beginning_in_tokens(text, max_tokens - 2 * _FRAME, cost=_cost)


def _share(costs: Sequence[int], total: int) -> int:
    """The most that each may cost when none gets more than it needs: the level of water in vessels."""
    rest, left = total, len(costs)
    for cost in sorted(costs):
        if cost * left > rest:
            return rest // left
        rest -= cost
        left -= 1
    return max(costs, default=0)


def _record(shown: Shown, question: str, cost: int, share: int) -> MemoryRecord:
    if cost <= share:
        return shown.record()
    part = excerpt_in_tokens(clean(shown.memory.text), question, share, cost=_cost)
    return shown.record(part.text, whole=part.whole)


def _cost(text: str, most: int | None = None) -> int:
    """Tokens of a text in an answer: each line has its mark, or an escaped break and quotes in JSON."""
    return tokens(text, most) + sum(map(text.count, '\n"\\'))


def _head(shown: Shown) -> int:
    """Tokens of all that is said of a memory besides its text."""
    record = shown.record("")
    written = json.dumps(record.document(), ensure_ascii=False, separators=(",", ":"))
    return max(tokens(written), tokens(texts.facts(record))) + 6
