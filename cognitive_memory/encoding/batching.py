"""Which texts go through the model together.

Texts in a batch are padded to its longest, and padding costs as much as text. So texts of like
length go together. Long ones go with others of the very same length alone: one of them keeps a core
as busy as many do, and where nothing is padded, attention is quicker (release/attention.py).
"""

from __future__ import annotations

from collections.abc import Sequence

TOKEN_BUDGET = 256
"""Padded tokens in a batch. Measured on one core of two machines: from 128 to 1,024 a token takes
as long, within a tenth, from 64 down it takes longer. The fewer, the less padding and memory.
"""
LONG = 128
"""Tokens from which on a text is not padded."""


def plan_batches(
    lengths: Sequence[int], *, max_rows: int, token_budget: int = TOKEN_BUDGET, long: int = LONG
) -> list[list[int]]:
    """Group texts, longest first.

    The longest texts first also keeps workers from waiting for a last big batch.

    Args:
        lengths: each text's number of tokens.
        max_rows: the most texts in a batch, at least 1.
        token_budget: the most tokens in a batch, padding included; one text alone may exceed it.
        long: from how many tokens on a batch's texts are all of one length.

    Returns:
        Batches of indices into `lengths`, each index once. The first of a batch is its longest.
    """
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    batches = []
    start = 0
    while start < len(order):
        # The tokenizer gives no text of 0 tokens; who plans without it must not divide by zero.
        longest = max(1, lengths[order[start]])
        batch = order[start : start + max(1, min(max_rows, token_budget // longest))]
        if longest >= long:
            batch = [index for index in batch if lengths[index] == longest]
        batches.append(batch)
        start += len(batch)
    return batches
