"""Graphs that compute their weights when they are loaded: what comes of it is kept, made once per machine.

It is onnxruntime that folds what depends on weights alone, and writes the graph that is left, with weights that are mapped into
memory from then on: loading takes a tenth of the time, and processes share the pages. Another onnxruntime makes its own.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from cognitive_memory.encoding.session import ModelSession, load_onnxruntime, save_folded
from heimdall.models import derived

_GRAPH = "folded.onnx"
_PROBE_TOKENS = 128
"""Long enough for all that a graph does with long texts."""
_TOLERANCE = 1e-3
"""Folding changes no number; wrong bytes change them by far more than this."""


def folded_graph(graph: Path, shelf: Path) -> Path:
    """The folded form of `graph`, made if it is not there.

    Args:
        graph: path of the ONNX file.
        shelf: where it is kept, from `heimdall.models.derived.shelf`.

    Raises:
        OSError: it can't be written.
        Exception: of no narrower type, from onnxruntime: it can't be made.
    """
    name = f"{graph.stem}-onnxruntime-{load_onnxruntime().__version__}"
    made = derived.find(shelf, name) or derived.make(shelf, name, partial(_write, graph))
    return made / _GRAPH


def _write(graph: Path, directory: Path) -> None:
    import numpy as np

    folded = directory / _GRAPH
    save_folded(graph, folded)
    # Any ids do: all weights have a part in each vector. One text alone and padded ones go different ways.
    long = np.arange(_PROBE_TOKENS) % 16
    batches = [long], [long, long[:5]]
    before, after = (ModelSession(path, threads=1, packed=False) for path in (graph, folded))
    for batch in batches:
        if not np.allclose(before.run(batch), after.run(batch), rtol=0, atol=_TOLERANCE):
            raise OSError(f"the folded form of {graph} gives other vectors")
