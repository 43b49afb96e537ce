"""Last hidden states as few bytes: what the tokens of two texts are compared by, one with one ("late interaction", Khattab and Zaharia, 2020).

A state is projected to the directions in which the states of texts differ most (PCA, fitted by
`python -m tests.benchmarks token-code`), scaled to one length, and rounded to int8. Tokens that say
nothing by themselves are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from cognitive_memory.core.arrays import FloatArray, IntArray
from cognitive_memory.core.embedder import CODE_LENGTH, Tokens

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_TOKENS = 64
"""How many tokens of a text are kept, the first ones: with 48 numbers each at most 3 kB, over
whole repositories 1.9 kB a memory. Without this limit no figure of recall is better.
"""
_CONTINUES = "##"
"""What begins a token that continues the word before it."""


class TokenCode:
    """Makes tokens of ids and hidden states. Thread-safe.

    Args:
        projection: shape (the states' width, the codes' width).
        telling: whether a token says something by itself, shape (vocabulary,).
        token_of: the token of an id.
    """

    def __init__(
        self, projection: FloatArray, telling: NDArray[np.bool_], token_of: Callable[[int], str]
    ) -> None:
        self._projection = projection
        self._telling = telling
        self._token_of = token_of

    @classmethod
    def of_model(cls, name: str, token_of: Callable[[int], str]) -> Self | None:
        """The code that comes with this release for a model; None if there is none."""
        import numpy as np

        if not has_code(name):
            return None
        arrays = np.load(_file(name))
        telling = np.unpackbits(arrays["telling"]).astype(np.bool_)
        return cls(arrays["projection"].astype(np.float32), telling, token_of)

    def __call__(self, ids: IntArray, states: FloatArray) -> Tokens:
        """The tokens of one text.

        Args:
            ids: of its tokens, special ones included, shape (n,).
            states: the last hidden state of each, shape (n, width).
        """
        import numpy as np

        kept = np.flatnonzero(self._telling[ids])
        # Of a token that comes again the first one, where the text says what it is about.
        kept = kept[np.sort(np.unique(ids[kept], return_index=True)[1])][:MOST_TOKENS]
        # Not `@`, whose threads wait for each other where all cores are at work.
        rows = np.einsum("ij,jk->ik", states[kept], self._projection)
        rows *= CODE_LENGTH / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
        codes = np.rint(rows).clip(-127, 127).astype(np.int8)
        words = self._words(ids.tolist())
        return Tokens([words[place] for place in kept.tolist()], codes)

    def _words(self, ids: Sequence[int]) -> list[str]:
        """The word that each token is a part of."""
        words: list[str] = []
        starts: list[int] = []
        for token in map(self._token_of, ids):
            if token.startswith(_CONTINUES) and words:
                words[-1] += token.removeprefix(_CONTINUES)
            else:
                words.append(token)
            starts.append(len(words) - 1)
        return [words[start] for start in starts]


def has_code(name: str) -> bool:
    """Whether this release comes with a code for a model. Nothing is loaded for it."""
    return _file(name).is_file()


def joined(tokens: Sequence[Tokens], owners: Sequence[int]) -> tuple[Tokens, ...]:
    """The tokens of each owner, of all its windows.

    Args:
        tokens: of each window; may be empty when none were asked for.
        owners: of each window, from 0, ascending, none left out.
    """
    import numpy as np

    if not tokens or owners[-1] + 1 == len(owners):
        return tuple(tokens)
    windows: list[list[Tokens]] = [[] for _ in range(owners[-1] + 1)]
    for part, owner in zip(tokens, owners, strict=True):
        windows[owner].append(part)
    return tuple(
        Tokens(
            [word for part in of_text for word in part.words][:MOST_TOKENS],
            np.concatenate([part.codes for part in of_text])[:MOST_TOKENS],
        )
        for of_text in windows
    )


def _file(name: str) -> Path:
    return Path(__file__).parent / "token_codes" / f"{name}.npy"
