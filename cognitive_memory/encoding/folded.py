"""Graphs that compute their weights when they are loaded: what comes of it is kept, made once per machine.

It is onnxruntime that folds what depends on weights alone, and writes the graph that is left, with
weights that are mapped into memory from then on: loading takes a tenth of the time, and processes
share the pages. Another onnxruntime makes its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from cognitive_memory.encoding.session import ModelSession, load_onnxruntime, save_folded
from heimdall.models import graph_cache

_GRAPH = "folded.onnx"
_PROBE_TOKENS = 128
"""Long enough for all that a graph does with long texts."""
_TOLERANCE = 1e-3
"""Folding changes no weight, but operators may be fused otherwise, and the last bit of a sum may
turn into another int8 code.
"""


def make_session(graph: Path, caches: Sequence[Path], threads: int, packed: bool) -> ModelSession:
    """A session on the processor, over the graph's folded form, which is made if it is not there.

    Else over the graph itself.

    Args:
        graph: path of the ONNX file.
        caches: where folded forms are kept, from `heimdall.models.graph_cache.places`.
        threads: as of `ModelSession`.
        packed: as of `ModelSession`.

    Raises:
        Exception: of no narrower type, from onnxruntime: the graph itself can't be loaded.
    """
    try:
        folded = folded_graph(graph, caches)
        try:
            return ModelSession(folded, threads=threads, packed=packed, plain=not packed)
        except Exception:  # onnxruntime has no narrower one; raised again
            graph_cache.discard(folded.parent)  # the next one is made anew
            raise
    except Exception:  # onnxruntime has no narrower one; logged
        # What fails for the graph itself is raised below. A full disk, another's directory, somebody
        # who removes it at this moment: the graph does as well, only later.
        import logging

        logging.getLogger(__name__).info("%s is used as it is", graph, exc_info=True)
        return ModelSession(graph, threads=threads, packed=packed)


def folded_graph(graph: Path, caches: Sequence[Path]) -> Path:
    """The folded form of `graph`, made if it is not there.

    Raises:
        OSError: it can't be written, or another process is just making it.
        Exception: of no narrower type, from onnxruntime: it can't be made.
    """
    name = f"{graph.stem}-onnxruntime-{load_onnxruntime().__version__}"
    kept = next(filter(None, (graph_cache.find(cache, name) for cache in caches)), None)
    made = kept or graph_cache.make(caches[-1], name, partial(_write, graph))
    return made / _GRAPH


def _write(graph: Path, directory: Path) -> None:
    import numpy as np

    folded = directory / _GRAPH
    save_folded(graph, folded)
    # Every matrix has a part in each vector; of the tables, which are copied, a few rows have. One
    # text alone and padded ones go different ways.
    long = np.arange(_PROBE_TOKENS) % 16
    before = ModelSession(graph, threads=1, packed=False)
    after = ModelSession(folded, threads=1, packed=False, plain=True)
    for batch in ([long], [long, long[:5]]):
        if not np.allclose(before.run(batch), after.run(batch), rtol=0, atol=_TOLERANCE):
            raise OSError(f"the folded form of {graph} gives other vectors")
