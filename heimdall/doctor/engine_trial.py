"""Run as a script by the check of the engine: embeds the known sentence and prints one JSON object.

    python -m heimdall.doctor.engine_trial DIRECTORY MODEL VARIANT

The known vector comes from sentence-transformers, not from the engine that is tried: it is the one
that tests/cognitive_memory/golden has for the text "fact", whose make.py tells how it was made.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

GOLDEN = Path(__file__).with_name("golden_vector.npy")
SENTENCE = "SQLite in WAL mode lets one process write while others read."
MODEL = "all-MiniLM-L6-v2"
EXACT = 1e-5
"""Largest difference in a number, in float32 on any processor; measured on one x86-64 machine: 1.1e-7.

For graphs of which the manifest gives no `least_cosine`."""


def main(directory: str, model: str, variant: str) -> int:
    """Try it."""
    try:
        outcome, detail = _try(Path(directory), model, variant)
    except ImportError as error:
        outcome, detail = "import", f"a part of the engine can't be imported: {error}"
    except Exception as error:  # noqa: BLE001 (whatever it is, it is what the user has to hear)
        outcome, detail = "broken", f"{type(error).__name__}: {error}"
    json.dump({"outcome": outcome, "detail": detail}, sys.stdout)
    return 0


def _try(directory: Path, model: str, variant: str) -> tuple[str, str]:
    import numpy as np

    from cognitive_memory.core.variants import pinned_graph
    from cognitive_memory.encoding import Encoder
    from cognitive_memory.encoding.session import load_onnxruntime

    version = f"onnxruntime {load_onnxruntime().__version__}"
    graph = pinned_graph(model, variant)
    encoder = Encoder.load(directory, graph=graph)
    if model != MODEL:
        return "unknown", f"{version} loads {model}, but no vector of it is known to compare with"
    golden = np.load(GOLDEN, allow_pickle=False)
    vector = encoder.encode(SENTENCE)
    if vector.shape != golden.shape:
        return "wrong", f"the vector has the shape {vector.shape}, expected {golden.shape}"
    largest, cosine = float(np.abs(vector - golden).max()), float(vector @ golden)
    least_cosine = graph.least_cosine if graph else None
    if largest <= EXACT if least_cosine is None else cosine >= least_cosine:
        return (
            "right",
            f"{version} gives a known sentence its known vector (largest difference {largest:.1e})",
        )
    return (
        "wrong",
        f"{version} gives a known sentence another vector than its known one (cosine {cosine:.4f})",
    )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
