"""How many operations the processor can do at all: the quickest matrix products that onnxruntime manages here."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

_SHAPES = ((512, 384, 1536), (512, 1536, 384), (1024, 1024, 1024))
"""Rows, inner dimension, columns: the model's own, and a big square."""


def peak(cores: int, rounds: int = 3) -> float:
    """Float32 operations a second of `cores` products side by side, the best of several shapes and rounds."""
    return max(_rate(shape, cores) for shape in _SHAPES for _ in range(rounds))


def sentence_operations(tokens: int, width: int = 384, inner: int = 1536, layers: int = 6) -> int:
    """What a text of so many tokens takes in MiniLM's matrix products; all the rest is left out."""
    linear = tokens * width * (4 * width + 2 * inner)
    attention = 2 * tokens * tokens * width
    return 2 * layers * (linear + attention)


_sessions: dict[tuple[int, int, int], onnxruntime.InferenceSession] = {}


def _rate(shape: tuple[int, int, int], cores: int, repeat: int = 20) -> float:
    rows, inner, columns = shape
    if shape not in _sessions:
        _sessions[shape] = _product(inner, columns)
    session, given = _sessions[shape], np.ones((rows, inner), dtype=np.float32)

    def work(_: int) -> None:
        for _ in range(repeat):
            session.run(None, {"a": given})

    with ThreadPoolExecutor(cores) as pool:
        start = time.perf_counter()
        list(pool.map(work, range(cores)))
        seconds = time.perf_counter() - start
    return 2 * rows * inner * columns * repeat * cores / seconds


def _product(inner: int, columns: int) -> onnxruntime.InferenceSession:
    weights = helper.make_tensor(
        "b", TensorProto.FLOAT, (inner, columns), np.ones(inner * columns, np.float32)
    )
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["a", "b"], ["c"])],
        "product",
        [helper.make_tensor_value_info("a", TensorProto.FLOAT, ("rows", inner))],
        [helper.make_tensor_value_info("c", TensorProto.FLOAT, ("rows", columns))],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
