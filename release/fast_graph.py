"""The graph `fast`: the encoder of `release.graph` over the same weights file, with its matrices multiplied in int8.

The weights are rounded by the graph itself: onnxruntime computes what depends on weights alone once, when it loads the
graph (its constant folding), by operations whose result IEEE 754 fixes. So nothing else has to be downloaded or kept.

What reaches a matrix is rounded row by row, each with a step that follows from that row: a token's numbers, and so a
text's vector, do not depend on what else is in the batch. Two things keep the error small:

- Before the query, key and value matrices and the first one of the feed-forward part, columns are scaled ("SmoothQuant",
  Xiao et al., 2023), since a few of them hold numbers many times larger than the others'.
- After GELU a few columns are larger still, and meet the largest weights: these columns are multiplied in float32 ("LLM.int8()",
  Dettmers et al., 2022). All others are at least -0.17, so that they are raised by that and use all 256 steps.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from release.bert_config import BertConfig
from release.graph import encoder_bytes
from release.graph_builder import BOOL, INT8, INT64, UINT8, Attribute, GraphBuilder
from release.recipe import WEIGHTS_NAME
from release.safetensors_header import Tensor

_MEASURED = Path(__file__).with_suffix(".json")
_LEAST_GELU = 0.17
"""GELU is nowhere below -0.16998."""
_LEAST_STEP = 1e-30
"""What a row of zeros is divided by."""
_QUARTERS = (1.0, 1.1875, 1.40625, 1.6875)
"""2 to the power of 0, 1/4, 1/2 and 3/4, in five bits."""
_REACH = 32
"""Scales are between 2 to the power of -8 and of 8."""
_MIDDLE = 128
"""The code of 0 where numbers lie on both sides of it."""
_BOTTOM = -1e9


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured, once, on the texts that the model is used for: `python -m tests.benchmarks.calibrate`.

    Attributes:
        scales: by the weights' prefix, each input column's scale in quarters of an octave.
        apart: by the weights' prefix, the input columns to be multiplied in float32.
    """

    scales: Mapping[str, Sequence[int]]
    apart: Mapping[str, Sequence[int]]

    @classmethod
    def read(cls, path: Path = _MEASURED) -> Measured:
        """Read what is committed."""
        document = json.loads(path.read_text(encoding="utf-8"))
        scales = {prefix: [int(part) for part in text.split()] for prefix, text in document["quarter_octaves"].items()}
        return cls(scales, document["apart"])


def fast_graph_bytes(
    name: str,
    config: BertConfig,
    tensors: Mapping[str, Tensor],
    measured: Measured | None = None,
    *,
    subject: str = WEIGHTS_NAME,
) -> bytes:
    """The serialised ONNX model, the same bytes for the same arguments; otherwise as `release.graph.graph_bytes`.

    Args:
        name: the graph's name.
        config: the encoder's dimensions.
        tensors: where the weights lie, from `safetensors_header.read_header`.
        measured: for these weights; default: what is committed. A matrix that it does not name gets no special treatment.
        subject: what the weights are, for messages: usually their path.

    Raises:
        ModelBuildError: naming every weight that is missing or has another type or shape than `config` says.
    """
    return encoder_bytes(_FastBuilder(tensors, measured or Measured.read()), name, config, subject=subject)


class _FastBuilder(GraphBuilder):
    """Multiplies in int8."""

    def __init__(self, tensors: Mapping[str, Tensor], measured: Measured) -> None:
        super().__init__(tensors, WEIGHTS_NAME)
        self._measured = measured
        self._count = 0
        self._rounded: dict[tuple[str, str], tuple[str, str]] = {}

    def node(self, operator: str, *inputs: str, output: str = "", **attributes: Attribute) -> str:
        # Short names keep the graph below what may travel inside a manifest.
        self._count += 1
        return super().node(operator, *inputs, output=output or f"{self._count:x}", **attributes)

    def linear(self, prefix: str, rows: str, out_width: int, in_width: int, *, after_gelu: bool = False) -> str:
        weight = self.weight(f"{prefix}.weight", out_width, in_width)
        bias = self.weight(f"{prefix}.bias", out_width)
        if after_gelu:
            return self.node("Add", *self._after_gelu(prefix, rows, weight, bias, (out_width, in_width)))
        # Query, key and value share what they are applied to.
        group = prefix if prefix in self._measured.scales else prefix.rpartition(".")[0]
        if group in self._measured.scales:
            weight = self.node("Mul", weight, self._scale(group))
        codes, column = self._remembered(rows, group)
        return self.node("Add", self._product(codes, column, weight, out_width, _MIDDLE), bias)

    def _after_gelu(self, prefix: str, rows: str, weight: str, bias: str, shape: tuple[int, int]) -> tuple[str, str]:
        """The product of the rows that GELU gave, and the bias that belongs to it; `shape` is the weight's."""
        out_width, in_width = shape
        apart = self._measured.apart.get(prefix, ())
        inside = bytes(column not in apart for column in range(in_width))
        kept = self._constant(f"kept {self._count:x}", (in_width,), BOOL, inside)
        shift = self.number(_LEAST_GELU)
        rest = self.node("Where", kept, weight, self.number(0.0))
        # Columns that are kept apart are lowered so far that they vanish at zero, and decide over no step.
        raised = self.node("Add", rows, self.node("Where", kept, shift, self.number(_BOTTOM)))
        step = self._step(self.node("ReduceMax", raised, self.integers(1), keepdims=0), 255)
        column = self.node("Unsqueeze", step, self.integers(1))
        product = self._product(self._codes(raised, step, 0), column, rest, out_width, 0)
        if apart:
            columns = self.integers(*apart)
            exact = (self.node("Gather", matrix, columns, axis=1) for matrix in (rows, weight))
            product = self.node("Gemm", *exact, product, transB=1)
        surplus = self.node("Mul", self.node("ReduceSum", rest, self.integers(1), keepdims=0), shift)
        return product, self.node("Sub", bias, surplus)

    def _remembered(self, rows: str, group: str) -> tuple[str, str]:
        """The rows in uint8 around the middle, scaled as the group wants it, and each row's step as a column."""
        key = (rows, group if group in self._measured.scales else "")
        if key not in self._rounded:
            if key[1]:
                rows = self.node("Mul", rows, self.node("Reciprocal", self._scale(group)))
            lowest, highest = (
                self.node(operator, rows, self.integers(1), keepdims=0) for operator in ("ReduceMin", "ReduceMax")
            )
            step = self._step(self.node("Max", highest, self.node("Neg", lowest)), 127)
            column = self.node("Unsqueeze", step, self.integers(1))
            self._rounded[key] = self._codes(rows, step, _MIDDLE), column
        return self._rounded[key]

    def _codes(self, rows: str, step: str, zero: int) -> str:
        # One zero point for each row, all the same: the operator wants as many as steps.
        zeros = self.node("ConstantOfShape", self.node("Shape", step), value=self.one_of(UINT8, bytes([zero])))
        return self.node("QuantizeLinear", rows, step, zeros, axis=0)

    def _product(self, codes: str, column: str, weight: str, out_width: int, zero: int) -> str:
        """The rows of those codes times the transposed weight, which is rounded with a step for each of its rows."""
        largest = self.node("ReduceMax", self.node("Abs", weight), self.integers(1), keepdims=0)
        steps = self._step(largest, 127)
        zeros = self._constant(f"{out_width} zeros", (out_width,), INT8, bytes(out_width))
        rounded = self.node("QuantizeLinear", weight, steps, zeros, axis=0)
        transposed = self.node("Transpose", rounded, perm=(1, 0))
        zero_point = self._constant(f"zero {zero}", (), UINT8, bytes([zero]))
        product = self.contributed("MatMulIntegerToFloat", codes, transposed, self.number(1.0), steps, zero_point)
        return self.node("Mul", product, column)

    def _step(self, largest: str, codes: int) -> str:
        return self.node("Max", self.node("Mul", largest, self.number(1 / codes)), self.number(_LEAST_STEP))

    def _scale(self, group: str) -> str:
        quarters = self._measured.scales[group]
        table = [_QUARTERS[index % 4] * 2.0 ** (index // 4) for index in range(-_REACH, _REACH)]
        indices = self._constant(f"{group}.scale", (len(quarters),), UINT8, bytes(value + _REACH for value in quarters))
        return self.node("Gather", self.numbers("scales", table), self.node("Cast", indices, to=INT64), axis=0)
