"""How near the words of a question are to those of a memory, one with one ("late interaction", Khattab and Zaharia, 2020)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cognitive_memory.core.embedder import CODE_LENGTH, Tokens
from cognitive_memory.retrieval.keywords import idf

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def mean_nearness(
    questions: Sequence[Tokens],
    frequencies: Mapping[str, int],
    total: int,
    codes: Mapping[int, bytes],
) -> dict[int, float]:
    """How near memories are to a question, by key: the mean over the forms in which it is asked.

    Args:
        questions: the tokens of each form, at least one each.
        frequencies: as of `word_weights`.
        total: as of `word_weights`.
        codes: as of `nearness`.
    """
    near = [
        nearness(question, word_weights(question.words, frequencies, total), codes)
        for question in questions
    ]
    return {key: sum(each[key] for each in near) / len(near) for key in near[0]} if near else {}


def word_weights(
    words: Sequence[str], frequencies: Mapping[str, int], total: int
) -> NDArray[np.float32]:
    """How much each token of a question counts, in all 1: as much as its word tells.

    Args:
        words: that each token is a part of.
        frequencies: how many memories have each word, by the word in quotes; one that is not there
            tells half as much as the rarest.
        total: how many memories there are.
    """
    import numpy as np

    parts = Counter(words)
    unknown = math.log(total + 1) / 2
    weights = [
        (idf(frequencies[f'"{word}"'], total) if f'"{word}"' in frequencies else unknown)
        / parts[word]
        for word in words
    ]
    return np.array(weights, dtype=np.float32) / max(sum(weights), 1e-9)


def nearness(
    question: Tokens, weights: NDArray[np.float32], codes: Mapping[int, bytes]
) -> dict[int, float]:
    """For each token of a question the cosine of a memory's nearest one, weighted; by the memory's key.

    What is no row of such codes is left out, and so is what has no token.

    Args:
        question: its tokens, at least one.
        weights: of each.
        codes: of memories, by key.
    """
    import numpy as np

    width = question.codes.shape[1]
    fit = {key: code for key, code in codes.items() if code and len(code) % width == 0}
    if not fit:
        return {}
    rows = np.frombuffer(b"".join(fit.values()), dtype=np.int8).reshape(-1, width)
    lengths = np.fromiter(map(len, fit.values()), dtype=np.intp, count=len(fit)) // width
    # Not `@`, whose threads wait for each other on a busy machine: .2 ms or 16.
    wanted = question.codes / np.float32(CODE_LENGTH**2)
    cosines = np.einsum("ij,kj->ik", rows.astype(np.float32), wanted)
    nearest = np.maximum.reduceat(cosines, np.cumsum(lengths) - lengths, axis=0)
    return dict(zip(fit, (nearest @ weights).tolist(), strict=True))
