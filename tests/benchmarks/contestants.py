"""Ways to embed texts with the same weights. Heavy imports happen in the makers: their cost is part of what is measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Embed = Callable[[Sequence[str]], "NDArray[np.float32]"]


def heimdall(models: Path) -> Embed:
    """This project's engine."""
    from cognitive_memory.encoding import Encoder

    return Encoder.load(models).encode_batch


def original(models: Path) -> Embed:
    """heimdall-mcp 0.3.7: every text padded to 512 tokens, 32 at a time, onnxruntime's defaults."""
    return _plain(models, cut=512, pad=512, rows=32)


def fastembed_way(models: Path) -> Embed:
    """fastembed's defaults: cut at 128 tokens, 256 texts at a time as they come, padded to the longest of them."""
    return _plain(models, cut=128, pad=None, rows=256)


def sentence_transformers(upstream: Path) -> Embed:
    """sentence-transformers with its defaults but for the cut, which is ours: texts sorted, 32 at a time."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(upstream), device="cpu", local_files_only=True)
    model.max_seq_length = 512
    return lambda texts: model.encode(list(texts), show_progress_bar=False)


def make(name: str, models: Path, upstream: Path | None) -> Embed:
    """One contestant, loaded."""
    if name == "sentence-transformers":
        assert upstream is not None
        return sentence_transformers(upstream)
    return {"heimdall": heimdall, "the original's way": original, "fastembed's way": fastembed_way}[name](models)


def names(upstream: Path | None) -> list[str]:
    """Those that can run here, ours first."""
    ours = ["heimdall", "the original's way", "fastembed's way"]
    return [*ours, "sentence-transformers"] if upstream and find_spec("sentence_transformers") else ours


def _plain(models: Path, *, cut: int, pad: int | None, rows: int) -> Embed:
    import numpy as np
    import onnxruntime
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(models / "tokenizer" / "tokenizer.json"))
    tokenizer.enable_truncation(cut)
    tokenizer.enable_padding(length=pad)
    (graph,) = models.glob("*.onnx")
    session = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        parts = []
        for start in range(0, len(texts), rows):
            encodings = tokenizer.encode_batch(texts[start : start + rows])
            ids = np.array([encoding.ids for encoding in encodings], dtype=np.int64)
            mask = np.array([encoding.attention_mask for encoding in encodings], dtype=np.int64)
            parts.append(session.run(None, {"input_ids": ids, "attention_mask": mask})[0])
        return np.concatenate(parts)

    return embed
