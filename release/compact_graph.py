"""The variant `compact`: the encoder of `release.graph` as one self-contained file of a quarter of the bytes.

Matrices are stored in int8 and computed with in float32. onnxruntime restores them once, when it
loads the model (its constant folding); of the word table, half of the parameters, only the rows of
a text's tokens are ever restored.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from release.bert_config import BertConfig
from release.encoder_builder import EncoderBuilder
from release.graph import encoder_bytes
from release.graph_builder import BFLOAT16, FLOAT32, INT8, ValueType
from release.quantisation import Quantised, quantise_groups, quantise_rows
from release.safetensors_header import Tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray


def compact_graph_bytes(name: str, config: BertConfig, weights: Path) -> bytes:
    """The serialised ONNX model, the same bytes for the same arguments on every machine.

    Inputs and output are those of `release.graph.graph_bytes`.

    Args:
        name: the graph's name.
        config: the encoder's dimensions.
        weights: upstream's safetensors file.

    Raises:
        ModelBuildError: naming every weight that is missing or has another type or shape than
            `config` says.
    """
    return encoder_bytes(_CompactBuilder(weights, config), name)


class _CompactBuilder(EncoderBuilder):
    """Stores matrices in int8, and vectors, a hundredth of the parameters, as they are."""

    def __init__(self, weights: Path, config: BertConfig) -> None:
        super().__init__(weights, config)
        self._content = memoryview(weights.read_bytes())

    def weight(self, name: str, *shape: int) -> str:
        tensor = self._checked(name, shape)
        if tensor is None:
            return name
        array = self._array(tensor)
        if array.ndim == 1:
            return self._constant(name, shape, FLOAT32, array.tobytes())
        codes, steps = self._stored(name, quantise_groups(array))
        return self.node("Reshape", self._restored(codes, steps), self.integers(*shape))

    def table(self, name: str, *shape: int) -> str:
        tensor = self._checked(name, shape)
        if tensor is not None:
            self._stored(name, quantise_rows(self._array(tensor)))
        return name

    def look_up(self, table: str, indices: str) -> str:
        codes, steps = (
            super(_CompactBuilder, self).look_up(part, indices) for part in _parts(table)
        )
        shape = self.node("Concat", self.node("Shape", indices), self.integers(-1), axis=0)
        return self.node("Reshape", self._restored(codes, steps), shape)

    def serialised(
        self, name: str, inputs: Mapping[str, ValueType], outputs: Mapping[str, ValueType]
    ) -> bytes:
        # Like beside like: what shares a block of the packed asset shares a Huffman code.
        self._graph.initializer.sort(key=lambda initializer: initializer.data_type)
        return super().serialised(name, inputs, outputs)

    def _array(self, tensor: Tensor) -> NDArray[np.float32]:
        part = self._content[tensor.offset : tensor.offset + tensor.length]
        return np.frombuffer(part, "<f4").reshape(tensor.shape)

    def _stored(self, name: str, matrix: Quantised) -> tuple[str, str]:
        codes, steps = _parts(name)
        self._constant(codes, matrix.codes.shape, INT8, matrix.codes.tobytes())
        # bfloat16 is the upper half of a float32.
        halves = (matrix.steps.view(np.uint32) >> 16).astype("<u2")
        self._constant(steps, matrix.steps.shape, BFLOAT16, halves.tobytes())
        return codes, steps

    def _restored(self, codes: str, steps: str) -> str:
        return self.node("Mul", *(self.node("Cast", part, to=FLOAT32) for part in (codes, steps)))


def _parts(name: str) -> tuple[str, str]:
    return f"{name}.codes", f"{name}.steps"
