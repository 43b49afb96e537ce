"""Ways to embed texts with the same weights. Heavy imports happen in the makers: their cost is part of what is measured."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Embed = Callable[[Sequence[str]], Any]
"""Texts to an array of shape (texts, 384)."""
Places = dict[str, str]
"""Directories: `models`, ours; `shared`, a models directory in which they are published; `upstream`, sentence-transformers'
files; `exported`, graphs that torch wrote (see `export`)."""

OURS, EXACT = "heimdall", "exact"
"""As a memory asks, and as a library's users do whose vectors are those of upstream's weights to 1e-6."""
FASTEMBED = "fastembed"
CUT = 512
"""Tokens at which those are cut that don't measure a default: as ours."""


def heimdall(places: Places, variant: str = "standard", *, exact: bool = True) -> Embed:
    """This project's engine, the way users call it; not `exact`: the way a memory does."""
    from cognitive_memory.core.config import EmbeddingConfig
    from cognitive_memory.encoding import ONNXEmbeddingProvider

    config = EmbeddingConfig(
        model_cache_dir=places["shared"], variant=variant, long_texts="cut", exact=exact
    )
    return ONNXEmbeddingProvider(config).encode_batch


def original(places: Places) -> Embed:
    """heimdall-mcp 0.3.7: each text tokenised alone and padded to 512, onnxruntime's defaults, torch's export of the model.

    It ran whatever it was given as one batch, which takes gigabytes; here it gets 32 at a time, the `batch_size` of its
    configuration.
    """
    import numpy as np
    import onnxruntime
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    graph = f"{places['exported']}/pooled.onnx"
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(f"{places['models']}/tokenizer/tokenizer.json")
    # Its own tokenizer.json was saved without these, unlike upstream's.
    tokenizer.no_padding()
    tokenizer.no_truncation()

    def embed(texts: Sequence[str]) -> Any:
        parts = []
        for start in range(0, len(texts), 32):
            rows, masks = [], []
            for text in texts[start : start + 32]:
                ids = tokenizer.encode(text.strip()).ids[:CUT]
                masks.append([1] * len(ids) + [0] * (CUT - len(ids)))
                rows.append(ids + [0] * (CUT - len(ids)))
            inputs = {
                "input_ids": np.array(rows, np.int64),
                "attention_mask": np.array(masks, np.int64),
            }
            parts.append(session.run(None, inputs)[0].astype(np.float32))
        return np.concatenate(parts)

    return embed


def sentence_transformers(places: Places, *, rows: int, cut: int | None) -> Embed:
    """sentence-transformers on the CPU, texts sorted by itself.

    Args:
        rows: its batch size; its default is 32.
        cut: tokens; its default is the model's 256.
    """
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(places["upstream"], device="cpu", local_files_only=True)
    if cut is not None:
        model.max_seq_length = cut
    return lambda texts: model.encode(list(texts), batch_size=rows, show_progress_bar=False)


def fastembed(places: Places, *, rows: int, cut: int) -> Embed:
    """fastembed, which takes the texts as they come.

    Args:
        rows: its batch size; its default is 256.
        cut: tokens; the files that it would download say 128.
    """
    import numpy as np
    from fastembed import TextEmbedding

    model = TextEmbedding(
        "sentence-transformers/all-MiniLM-L6-v2", specific_model_path=places["exported"]
    )
    model.model.tokenizer.enable_truncation(cut)
    return lambda texts: np.stack(list(model.embed(list(texts), batch_size=rows)))


@dataclass(frozen=True)
class Contestant:
    """A way to embed.

    Attributes:
        package: what its Python must have.
        place: the one of the places that it reads.
        make: loads it; takes the places and a batch size.
        tries: batch sizes of which the quickest is taken; empty where it has its own.
        alike: whether its vectors are ours, since it reads as much of a text.
        alone: whether it is measured with single texts and from its start; not where another one does the same then.
        sample: of how many texts in bulk it gets one, its time being multiplied by as much. More than 1 where every text takes as
            long as any other.
    """

    package: str
    place: str
    make: Callable[[Places, int], Embed]
    tries: tuple[int, ...] = ()
    alike: bool = True
    alone: bool = True
    sample: int = 1


CONTESTANTS = {
    OURS: Contestant("onnxruntime", "shared", lambda places, _: heimdall(places, exact=False)),
    EXACT: Contestant("onnxruntime", "shared", lambda places, _: heimdall(places)),
    "fast": Contestant("onnxruntime", "shared", lambda places, _: heimdall(places, "fast")),
    "0.3": Contestant("onnxruntime", "exported", lambda places, _: original(places), sample=5),
    "sentence-transformers": Contestant(
        "sentence_transformers",
        "upstream",
        lambda places, _: sentence_transformers(places, rows=32, cut=None),
        alike=False,
    ),
    "s.-t., best": Contestant(
        "sentence_transformers",
        "upstream",
        lambda places, rows: sentence_transformers(places, rows=rows, cut=CUT),
        (8, 32),
        alone=False,
    ),
    FASTEMBED: Contestant(
        "fastembed", "exported", lambda places, _: fastembed(places, rows=256, cut=128), alike=False
    ),
    "fastembed, best": Contestant(
        "fastembed",
        "exported",
        lambda places, rows: fastembed(places, rows=rows, cut=CUT),
        (1, 16),
        alone=False,
    ),
}
"""Ours first. A `best` one reads 512 tokens, with the quickest of some batch sizes."""
