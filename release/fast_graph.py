"""The graph `fast`: the encoder of `release.graph` over the same weights file, with its matrices multiplied in int8.

The weights are rounded by the graph itself: onnxruntime computes what depends on weights alone
once, when it loads the graph (its constant folding), by operations whose result IEEE 754 fixes. So
nothing else has to be downloaded or kept.

What reaches a matrix is rounded row by row, each with a step that follows from that row: a token's
numbers, and so a text's vector, do not depend on what else is in the batch. Three things keep the
error small:

- Before the query, key and value matrices and the first one of the feed-forward part, columns are
  moved and scaled, since a few of them hold numbers many times larger than the others', mostly on
  one side of 0 ("SmoothQuant", Xiao et al., 2023; "Outlier Suppression+", Wei et al., 2023). The
  normalisation before them does that in passing, by another scale and shift.
- After GELU a few columns are larger still, and meet the largest weights: these columns are
  multiplied in float32 ("LLM.int8()", Dettmers et al., 2022). All others are at least -0.17, so
  that they are raised by that and use all 256 steps.
- Steps of weights are such that two neighbours of one sign never come to more than 128. Before
  VNNI, the instruction of x86-64 for uint8 times int8 adds two products in 16 bits, where more
  might overflow. So the quick product is exact on every processor.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from release.bert_config import BertConfig
from release.encoder_builder import EncoderBuilder, States
from release.graph import encoder_bytes
from release.graph_builder import CONTRIBUTED, FLOAT32, INT8, INT64, UINT8

_MEASURED = Path(__file__).with_suffix(".json")
_LEAST_GELU = 0.17
"""GELU is nowhere below -0.16998."""
_LEAST_STEP = 1e-30
"""What a row of weights is divided by when all are zero."""
_QUARTERS = (1.0, 1.1875, 1.40625, 1.6875)
"""2 to the power of 0, 1/4, 1/2 and 3/4, in five bits."""
_REACH = 32
"""Scales are between 2 to the power of -8 and of 8."""
_MIDDLE = 128
"""The code of 0 where numbers lie on both sides of it."""
_BOTTOM = -1e9
_MOVE = 1 / 8
"""Columns are moved by multiples of this."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured, once, on the texts that the model is used for: `python -m tests.benchmarks.calibrate`.

    Attributes:
        scales: by the weights' prefix, each input column's scale in quarters of an octave.
        moves: by the weights' prefix, what is subtracted from each input column before, in eighths.
        apart: by the weights' prefix, the input columns to be multiplied in float32.
    """

    scales: Mapping[str, Sequence[int]]
    moves: Mapping[str, Sequence[int]]
    apart: Mapping[str, Sequence[int]]

    @classmethod
    def read(cls, path: Path = _MEASURED) -> Measured:
        """Read what is committed."""
        document = json.loads(path.read_text(encoding="utf-8"))
        scales, moves = (
            {
                prefix: [int(part) for part in text.split()]
                for prefix, text in document[name].items()
            }
            for name in ("quarter_octaves", "eighths")
        )
        return cls(scales, moves, document["apart"])


def fast_graph_bytes(
    name: str, config: BertConfig, weights: Path, measured: Measured | None = None
) -> bytes:
    """The serialised ONNX model, the same bytes for the same arguments.

    Otherwise as `release.graph.graph_bytes`.

    Args:
        name: the graph's name.
        config: the encoder's dimensions.
        weights: upstream's safetensors file.
        measured: for these weights; default: what is committed. A matrix that it does not name gets
            no special treatment.

    Raises:
        ModelBuildError: naming every weight that is missing or has another type or shape than
            `config` says.
    """
    return encoder_bytes(_FastBuilder(weights, config, measured or Measured.read()), name)


class _FastBuilder(EncoderBuilder):
    """Multiplies in int8."""

    # The two ways of attention differ in the last bits, which rounding may turn into another code.
    # The engine pads no text as long as this (cognitive_memory/encoding/batching.py): so a text's
    # length alone decides, and not its batch.
    whole_from = 128

    def __init__(self, weights: Path, config: BertConfig, measured: Measured) -> None:
        super().__init__(weights, config)
        self._measured = measured
        self._rounded: dict[States, tuple[str, str]] = {}
        self._made: dict[str, str] = {}
        self._weight_numbers: dict[str, int] = {}

    def project(self, prefix: str, states: States, out_width: int, *, constant: bool = True) -> str:
        weight = self.weight(f"{prefix}.weight", out_width, self.config.width)
        if (group := self._group(prefix)) in self._measured.scales:
            weight = self.node("Mul", weight, self._scale(group))
        # Query, key and value share what they are applied to.
        if states not in self._rounded:
            self._rounded[states] = self._around_zero(self._prepared(group, states))
        product = self._product(
            *self._rounded[states], *self._round(weight, (out_width, self.config.width)), _MIDDLE
        )
        return self.node("Add", product, self.constant(prefix, out_width)) if constant else product

    def constant(self, prefix: str, out_width: int) -> str:
        bias = super().constant(prefix, out_width)
        if (group := self._group(prefix)) not in self._measured.moves:
            return bias
        weight = self.weight(f"{prefix}.weight", out_width, self.config.width)
        return self.node("Add", bias, self.node("MatMul", weight, self._move(group)))

    def added(
        self,
        prefix: str,
        rows: str,
        in_width: int,
        states: States,
        *,
        carried: str = "",
        after_gelu: bool = False,
    ) -> str:
        shape = self.config.width, in_width
        weight = self.weight(f"{prefix}.weight", *shape)
        bias = self.carried_bias(prefix, weight, carried)
        if after_gelu:
            product, surplus = self._after_gelu(prefix, rows, weight, shape)
            bias = self.node("Sub", bias, surplus)
        else:
            product = self._product(*self._around_zero(rows), *self._round(weight, shape), _MIDDLE)
        # The bias comes with the states, whose normalisation adds a vector anyway.
        scale, shift = self.norm_weights(states)
        return self.node(
            "Add", product, self.layer_norm(states.rows, scale, self.node("Add", shift, bias))
        )

    # Short names keep the graph below what may travel inside a manifest.

    def _name(self, operator: str) -> str:  # noqa: ARG002
        return f"{self._count:x}"

    def _weight_name(self, name: str) -> str:
        return f"w{self._weight_numbers.setdefault(name, len(self._weight_numbers)):x}"

    def _group(self, prefix: str) -> str:
        """What columns are scaled and moved for: one matrix, or query, key and value together."""
        return prefix.rpartition(".")[0] if ".self." in prefix else prefix

    def _prepared(self, group: str, states: States) -> str:
        """The normalised states, with columns moved and scaled as is good for what they are multiplied with."""
        scale, shift = self.norm_weights(states)
        if group in self._measured.moves:
            shift = self.node("Sub", shift, self._move(group))
        if group in self._measured.scales:
            scale, shift = (self.node("Div", part, self._scale(group)) for part in (scale, shift))
        return self.layer_norm(states.rows, scale, shift)

    def _after_gelu(
        self, prefix: str, rows: str, weight: str, shape: tuple[int, int]
    ) -> tuple[str, str]:
        """The product of the rows that GELU gave, and what is too much in each of its rows.

        `shape` is the weight's.
        """
        apart = self._measured.apart.get(prefix, ())
        columns, shift = self.integers(*apart), self.number(_LEAST_GELU)
        # Columns that are kept apart are lowered so far that they vanish at zero, and decide over
        # no step.
        shifts = self.node("Expand", shift, self.integers(shape[1]))
        lowered = self.node("Expand", self.number(_BOTTOM), self.integers(len(apart)))
        shifts = self.node("ScatterElements", shifts, columns, lowered, axis=0)
        rest = self.node(
            "Where", self.node("Greater", shifts, self.number(0.0)), weight, self.number(0.0)
        )
        raised = self.node("Add", rows, shifts)
        step = self.node(
            "Mul",
            self.node("ReduceMax", raised, self.integers(1), keepdims=0),
            self.number(1 / 255),
        )
        rounded, steps = self._round(rest, shape)
        product = self._product(*self._codes(raised, step, 0), rounded, steps, 0)
        if apart:
            exact = (self.node("Gather", matrix, columns, axis=1) for matrix in (rows, weight))
            product = self.node("Gemm", *exact, product, transB=1)
        sums = self.node(
            "ReduceSum", self.node("Cast", rounded, to=FLOAT32), self.integers(1), keepdims=0
        )
        return product, self.node("Mul", self.node("Mul", sums, steps), shift)

    def _around_zero(self, rows: str) -> tuple[str, str]:
        """Rows in uint8 around the middle, and each one's step as a column."""
        lowest, highest = (
            self.node(kind, rows, self.integers(1), keepdims=0)
            for kind in ("ReduceMin", "ReduceMax")
        )
        largest = self.node("Max", highest, self.node("Neg", lowest))
        return self._codes(rows, self.node("Mul", largest, self.number(1 / 127)), _MIDDLE)

    def _codes(self, rows: str, step: str, zero: int) -> tuple[str, str]:
        # A row of zeros has a step of 0 and any codes: its product is 0 all the same.
        codes = self.node(
            "QuantizeLinear",
            rows,
            step,
            self._once(f"zeros {zero}", partial(self._zeros, step, zero)),
            axis=0,
        )
        return codes, self.node("Unsqueeze", step, self.integers(1))

    def _zeros(self, step: str, zero: int) -> str:
        # The operator wants as many zero points as steps. All matrices have a row for each token,
        # so these do for all.
        return self.node(
            "ConstantOfShape", self.node("Shape", step), value=self.one_of(UINT8, bytes([zero]))
        )

    def _product(self, codes: str, column: str, rounded: str, steps: str, zero: int) -> str:
        """The rows of those codes times the transposed weight."""
        zero_point = self._constant(f"zero {zero}", (), UINT8, bytes([zero]))
        transposed = self.node("Transpose", rounded, perm=(1, 0))
        product = self.node(
            "MatMulIntegerToFloat",
            codes,
            transposed,
            self.number(1.0),
            steps,
            zero_point,
            domain=CONTRIBUTED,
        )
        return self.node("Mul", product, column)

    def _round(self, weight: str, shape: tuple[int, int]) -> tuple[str, str]:
        """The weight in int8, with a step for each of its rows, and these.

        Neither a number nor two neighbours of one sign come to more than 127 steps, before they are
        rounded.
        """
        pairs = self.node("Reshape", weight, self.integers(shape[0], -1, 2))
        sums = self.node("ReduceSum", pairs, self.integers(2), keepdims=0)
        most = (
            self.node("ReduceMax", self.node("Abs", numbers), self.integers(1), keepdims=0)
            for numbers in (weight, sums)
        )
        steps = self.node("Mul", self.node("Max", *most), self.number(1 / 127))
        steps = self.node("Max", steps, self.number(_LEAST_STEP))
        zeros = self._constant(f"{shape[0]} zeros", shape[:1], INT8, bytes(shape[0]))
        return self.node("QuantizeLinear", weight, steps, zeros, axis=0), steps

    def _scale(self, group: str) -> str:
        def made() -> str:
            quarters = self._measured.scales[group]
            table = [_QUARTERS[index % 4] * 2.0 ** (index // 4) for index in range(-_REACH, _REACH)]
            codes = bytes(value + _REACH for value in quarters)
            indices = self._constant(f"{group}.scale", (len(quarters),), UINT8, codes)
            scales = self.numbers("scales", table)
            return self.node("Gather", scales, self.node("Cast", indices, to=INT64), axis=0)

        return self._once(f"{group}.scale", made)

    def _move(self, group: str) -> str:
        def made() -> str:
            eighths = self._measured.moves[group]
            raw = struct.pack(f"{len(eighths)}b", *eighths)
            codes = self._constant(f"{group}.move", (len(eighths),), INT8, raw)
            return self.node("Mul", self.node("Cast", codes, to=FLOAT32), self.number(_MOVE))

        return self._once(f"{group}.move", made)

    def _once(self, key: str, make: Callable[[], str]) -> str:
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]
