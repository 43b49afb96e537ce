"""What makes vectors, as the memory sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of texts, shape (n, dimension), rows of unit length.

        Loads the model, and fetches it if need be.
        """
