"""The one place that talks to onnxruntime."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_ERRORS_ALONE = 3
"""onnxruntime's severity "error": its warnings are about optimisations, and our stderr is the user's."""


def usable_cores() -> int:
    """How many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class ModelSession:
    """A loaded graph. Safe to run from several threads at once.

    Args:
        graph: path of the ONNX file; its weights lie beside it, which is why it is loaded by path.
        threads: how many threads share the work of one run.

    Raises:
        Exception: of no narrower type, from onnxruntime: a file is missing or broken.
    """

    def __init__(self, graph: Path, *, threads: int) -> None:
        import onnxruntime

        onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        options.log_severity_level = _ERRORS_ALONE
        options.intra_op_num_threads = threads
        # A thread that spins between operators takes 20 % off a single query, but holds a core that belongs to another
        # worker in bulk and to the user otherwise.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(os.fspath(graph), options, providers=["CPUExecutionProvider"])

    def run(self, rows: Sequence[NDArray[np.int64]]) -> NDArray[np.float32]:
        """Embed texts together.

        Args:
            rows: token ids of each text, shape (tokens,) each.

        Returns:
            Shape (len(rows), width), rows of unit L2 norm.
        """
        import numpy as np

        # The mask hides padding, so any id will do for it; 0 is one that every vocabulary has.
        ids = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(rows):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        (embeddings,) = self._session.run(["embeddings"], {"input_ids": ids, "attention_mask": mask})
        return cast("NDArray[np.float32]", embeddings)
