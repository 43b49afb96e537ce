"""The one place that talks to onnxruntime."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any, cast

from cognitive_memory.core.arrays import FloatArray, IntArray
from cognitive_memory.encoding.devices import CPU, Provider, check_started, choose_provider
from cognitive_memory.encoding.errors import EngineImportError

_ERRORS_ALONE = 3
"""onnxruntime's severity "error": its warnings are about optimisations, and our stderr is the
user's.
"""
_WEIGHTS_FOLDER = "session.model_external_initializers_file_folder_path"
_TELEMETRY_OFF = ("ORT_DISABLE_TELEMETRY", "ORT_TELEMETRY_DISABLED")
"""What onnxruntime is told by; the second name is that of some builds before 1.32."""
_WHOLE, _NEVER = b"\x0a\x05whole", b"\x0a\x05never"
"""Inputs of a node (in NodeProto: field 1, five bytes): what chooses the way of attention, and a
constant that is false.
"""
_loading = Lock()


def load_onnxruntime() -> ModuleType:
    """The module onnxruntime, which sends nothing and leaves no files of its own.

    Since 1.32 its import alone makes a device id and a queue of events for its maker in the user's
    cache, on every platform; `disable_telemetry_events` comes too late for that. The variables that
    forbid it are read once, during the import, and are then put back: they are the host program's.
    Its own choice wins, and so does an import of its own before this one.

    Raises:
        ImportError: it is not installed, or does not fit this machine.
    """
    with _loading:
        if "onnxruntime" not in sys.modules:
            ours = [
                name
                for name in _TELEMETRY_OFF
                if not any(known in os.environ for known in _TELEMETRY_OFF)
            ]
            os.environ.update(dict.fromkeys(ours, "1"))
            try:
                import onnxruntime
            finally:
                for name in ours:
                    os.environ.pop(name, None)
        import onnxruntime

        onnxruntime.disable_telemetry_events()
    return cast("ModuleType", onnxruntime)


def require_engine() -> None:
    """Find out whether anything here could use a model, before one is fetched.

    Raises:
        EngineImportError: nothing could.
    """
    try:
        load_onnxruntime()
    except ImportError as error:
        raise EngineImportError(str(error)) from error


def on_cpu(device: str) -> bool:
    """Whether that device, one of `core.config.DEVICES`, stands for the processor here.

    Raises:
        ConfigError: the device is not there.
    """
    return _provider(device) is CPU


def save_folded(graph: Path, target: Path) -> None:
    """Write `graph` to `target`, with all computed that can be, and its weights in a file beside it.

    Raises:
        Exception: of no narrower type, from onnxruntime.
    """
    options = _options(threads=1, packed=False)
    # What comes after this level depends on the processor.
    options.graph_optimization_level = load_onnxruntime().GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = os.fspath(target)
    weights = {"file_name": f"{target.stem}.weights", "min_size_in_bytes": "1024"}
    for name, value in weights.items():
        options.add_session_config_entry(
            f"session.optimized_model_external_initializers_{name}", value
        )
    load_onnxruntime().InferenceSession(os.fspath(graph), options, providers=[CPU.name])


class ModelSession:
    """A loaded graph. Safe to run from several threads at once.

    Args:
        graph: path of the ONNX file; its weights lie beside it, which is why it is loaded by path.
        threads: how many threads share the work of one run.
        packed: whether weights are copied into the order in which the processor reads them: faster
            to run, slower to load, and memory of this process' own instead of a mapped file's.
        plain: whether the graph is run as it is written, if on the processor: quicker to load, and
            a little slower to run. Not for a graph that restores or rounds its weights, which would
            do that in each run.
        device: one of `core.config.DEVICES`.

    Attributes:
        on_cpu: whether it runs on the processor.

    Raises:
        ConfigError: the device is not there.
        Exception: of no narrower type, from onnxruntime: a file is missing or broken.
    """

    def __init__(
        self,
        graph: Path,
        *,
        threads: int,
        packed: bool = True,
        plain: bool = False,
        device: str = "cpu",
    ) -> None:
        onnxruntime = load_onnxruntime()
        options = _options(threads=threads, packed=packed)
        provider = _provider(device)
        if plain and provider is CPU:
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        if provider is CPU:
            self._session = onnxruntime.InferenceSession(
                os.fspath(graph), options, providers=[CPU.name]
            )
        else:
            self._session = _elsewhere(graph, options, provider)
        check_started(device, provider, self._session.get_providers())
        self.on_cpu = self._session.get_providers() == [CPU.name]

    def run(self, rows: Sequence[IntArray]) -> FloatArray:
        """Embed texts together.

        Args:
            rows: token ids of each text, shape (tokens,) each.

        Returns:
            Shape (len(rows), width), rows of unit L2 norm.
        """
        return self._outputs(rows, ["embeddings"])[0]

    def run_whole(self, rows: Sequence[IntArray]) -> tuple[FloatArray, list[FloatArray]]:
        """As `run`, and the last hidden states of each text, shape (tokens, width) each.

        Raises:
            Exception: of no narrower type, from onnxruntime: the graph has no such output.
        """
        embeddings, states = self._outputs(rows, ["embeddings", "states"])
        return embeddings, [text[: len(row)] for text, row in zip(states, rows, strict=True)]

    def _outputs(self, rows: Sequence[IntArray], names: list[str]) -> list[FloatArray]:
        import numpy as np

        # The mask hides padding, so any id will do for it; 0 is one that every vocabulary has.
        ids = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(rows):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        outputs = self._session.run(names, {"input_ids": ids, "attention_mask": mask})
        return cast("list[FloatArray]", outputs)


def without_choice(graph: bytes) -> bytes:
    """The graph with one way of attention alone, for other providers than the processor's.

    Nodes that choose (`release/attention.py`) are made to read a constant, and onnxruntime then
    resolves the choice. Its name is as long as that of what they read, so nothing else changes.
    """
    return graph.replace(_WHOLE, _NEVER)


def _elsewhere(graph: Path, options: Any, provider: Provider) -> Any:
    make = load_onnxruntime().InferenceSession
    providers = [(provider.name, provider.options), CPU.name]
    options.add_session_config_entry(_WEIGHTS_FOLDER, os.fspath(graph.parent))
    try:
        return make(without_choice(graph.read_bytes()), options, providers=providers)
    except Exception:  # noqa: BLE001 (onnxruntime has no narrower one)
        # An old one (1.20) does not look for weights in that folder: it has to cope with the
        # choice.
        return make(os.fspath(graph), options, providers=providers)


def _options(*, threads: int, packed: bool) -> Any:
    options = load_onnxruntime().SessionOptions()
    options.log_severity_level = _ERRORS_ALONE
    options.intra_op_num_threads = threads
    # Threads that wait for the next operator by spinning take a third off a single text. In bulk
    # there are none, and in a first session they would spin while it is made, too.
    spinning = str(int(threads > 1 and packed))
    options.add_session_config_entry("session.intra_op.allow_spinning", spinning)
    options.add_session_config_entry("session.disable_prepacking", str(int(not packed)))
    # Since onnxruntime 1.30; older ones ignore it.
    options.add_session_config_entry("session.prepack.enable_parallel", "1")
    return options


def _provider(device: str) -> Provider:
    onnxruntime = load_onnxruntime()
    return choose_provider(device, onnxruntime.get_available_providers(), onnxruntime.__version__)
