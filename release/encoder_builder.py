"""What an encoder's layers are made of, over weights as they lie in the file.

Variants of the model do some of it otherwise.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from release.bert_config import BertConfig
from release.graph_builder import GraphBuilder


class States(NamedTuple):
    """Hidden states, a row for each token, that are still to be normalised.

    Attributes:
        rows: the value's name, shape (tokens, width).
        norm: prefix of the normalisation's weights.
    """

    rows: str
    norm: str


class EncoderBuilder(GraphBuilder):
    """Multiplies in float32, with matrices of the weights file.

    A matrix has tensors `<prefix>.weight`, of torch's shape (out, in), and `<prefix>.bias`.

    Attributes:
        whole_from: tokens from which on batches without padding take the way through attention that
            is quicker for them.
        config: the encoder's dimensions.
    """

    whole_from = 0

    def __init__(self, weights: Path, config: BertConfig) -> None:
        super().__init__(weights)
        self.config = config
        self._normalised: dict[States, str] = {}

    def table(self, name: str, *shape: int) -> str:
        """Use a float32 matrix of the weights file of which single rows are looked up."""
        return self.weight(name, *shape)

    def look_up(self, table: str, indices: str) -> str:
        """The rows of a table at the indices, of shape (*indices, columns)."""
        return self.node("Gather", table, indices, axis=0)

    def normalised(self, states: States) -> str:
        """The states, normalised."""
        if states not in self._normalised:
            self._normalised[states] = self.layer_norm(states.rows, *self.norm_weights(states))
        return self._normalised[states]

    def project(self, prefix: str, states: States, out_width: int, *, constant: bool = True) -> str:
        """A matrix times the normalised states.

        Args:
            prefix: of the matrix.
            states: what it is applied to.
            out_width: columns of the result.
            constant: whether `constant` is added.
        """
        weight = self.weight(f"{prefix}.weight", out_width, self.config.width)
        added = [self.constant(prefix, out_width)] if constant else []
        return self.node("Gemm", self.normalised(states), weight, *added, transB=1)

    def constant(self, prefix: str, out_width: int) -> str:
        """What is added to each row of a matrix' product with the states: its bias."""
        return self.weight(f"{prefix}.bias", out_width)

    def added(
        self,
        prefix: str,
        rows: str,
        in_width: int,
        states: States,
        *,
        carried: str = "",
        after_gelu: bool = False,  # noqa: ARG002
    ) -> str:
        """A matrix times rows, plus its bias, plus the normalised states.

        Args:
            prefix: of the matrix, which has as many rows as the states have columns.
            rows: what it is applied to.
            in_width: columns of `rows`.
            states: what is added.
            carried: a vector that would have to be added to each of `rows` before.
            after_gelu: whether `rows` came out of GELU.
        """
        weight = self.weight(f"{prefix}.weight", self.config.width, in_width)
        bias = self.carried_bias(prefix, weight, carried)
        return self.node(
            "Add", self.node("Gemm", rows, weight, bias, transB=1), self.normalised(states)
        )

    def carried_bias(self, prefix: str, weight: str, carried: str) -> str:
        """The matrix' bias, and what the matrix makes of a carried vector: it depends on weights alone."""
        bias = self.weight(f"{prefix}.bias", self.config.width)
        return self.node("Add", bias, self.node("MatMul", weight, carried)) if carried else bias

    def norm_weights(self, states: States) -> tuple[str, str]:
        """Scale and shift of the states' normalisation."""
        width = self.config.width
        return self.weight(f"{states.norm}.weight", width), self.weight(
            f"{states.norm}.bias", width
        )

    def layer_norm(self, rows: str, scale: str, shift: str) -> str:
        """Rows of mean 0 and variance 1, times the scale, plus the shift."""
        return self.node(
            "LayerNormalization", rows, scale, shift, axis=-1, epsilon=self.config.layer_norm_eps
        )
