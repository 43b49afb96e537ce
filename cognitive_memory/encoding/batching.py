"""Which texts go through the model together.

Texts in a batch are padded to its longest, and padding costs as much as text. So texts of like length go together, and long
ones go alone: for attention a batch brings nothing that a single long text does not have already.
"""

from __future__ import annotations

from collections.abc import Sequence

TOKEN_BUDGET = 512
"""Padded tokens in a batch. Measured on two cores: 256 to 1024 are alike, below and above it gets slower; the less, the
less memory."""


def plan_batches(lengths: Sequence[int], *, max_rows: int, token_budget: int = TOKEN_BUDGET) -> list[list[int]]:
    """Group texts, longest first; the longest texts first also keeps workers from waiting for a last big batch.

    Args:
        lengths: each text's number of tokens.
        max_rows: the most texts in a batch, at least 1.
        token_budget: the most tokens in a batch, padding included; one text alone may exceed it.

    Returns:
        Batches of indices into `lengths`, each index once. The first of a batch is its longest.
    """
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    batches = []
    start = 0
    while start < len(order):
        fitting = token_budget // max(1, lengths[order[start]])
        end = start + max(1, min(max_rows, fitting))
        batches.append(order[start:end])
        start = end
    return batches
