"""What makes vectors, as the memory sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from cognitive_memory.core.arrays import FloatArray

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


CODING = "tokens-1"
"""How tokens are coded: which are left out, what they are projected to, and how they are rounded."""

CODE_LENGTH = 254.0
"""How long a token's code is, before it is rounded: hardly one of its numbers is above a half of
that, and such a one is taken for a half.
"""


class Tokens(NamedTuple):
    """What each token of a text means where it stands; those that say nothing are left out.

    Attributes:
        words: that it is a part of, for each.
        codes: int8 of shape (n, width), all about `CODE_LENGTH` long: their products tell how near
            two tokens are.
    """

    words: Sequence[str]
    codes: NDArray[np.int8]


class Embedder(Protocol):
    """What a memory needs to have vectors made.

    Attributes:
        dimension: how many numbers a vector has.
    """

    dimension: int

    def embedding_space(self) -> str | None:
        """A name of what the vectors depend on: model, numerics and how the text is composed.

        None: no model is pinned.

        Vectors are compared only with vectors of the same embedding space.
        """

    def ready(self) -> bool:
        """Whether vectors can be made now, without the network."""

    def fetch(self) -> None:
        """Load the model, and fetch it if it is not on this machine."""

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """Vectors of texts, shape (n, dimension), rows of unit length.

        Loads the model, and fetches it if need be.
        """

    def has_tokens(self) -> bool:
        """Whether tokens can be had, too."""

    def embed_with_tokens(self, texts: Sequence[str]) -> tuple[FloatArray, list[Tokens]]:
        """As `embed`, and the tokens of each text; only where `has_tokens`."""
