"""Ways to embed texts with the same weights. Heavy imports happen in the makers: their cost is part of what is measured."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

Embed = Callable[[Sequence[str]], Any]
"""Texts to an array of shape (texts, 384)."""
Places = dict[str, str]
"""Directories: `models`, ours; `shared`, a models directory in which they are published; `upstream`, sentence-transformers'
files; `exported`, the graph that torch wrote (see `export`)."""

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


def sentence_transformers(places: Places, *, rows: int, cut: int | None = CUT) -> Embed:
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


def fastembed(places: Places, *, rows: int, cut: int = CUT) -> Embed:
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
        make: loads it; takes the places.
        alike: whether its vectors are ours, since it reads as much of a text.
        alone: whether it is measured with single texts and from its start; not where another one does the same then.
    """

    package: str
    place: str
    make: Callable[[Places], Embed]
    alike: bool = True
    alone: bool = True


CONTESTANTS = {
    OURS: Contestant("onnxruntime", "shared", partial(heimdall, exact=False)),
    EXACT: Contestant("onnxruntime", "shared", heimdall),
    "fast": Contestant("onnxruntime", "shared", partial(heimdall, variant="fast")),
    "sentence-transformers": Contestant(
        "sentence_transformers",
        "upstream",
        partial(sentence_transformers, rows=32, cut=None),
        alike=False,
    ),
    "s.-t., best": Contestant(
        "sentence_transformers", "upstream", partial(sentence_transformers, rows=8), alone=False
    ),
    FASTEMBED: Contestant(
        "fastembed", "exported", partial(fastembed, rows=256, cut=128), alike=False
    ),
    "fastembed, best": Contestant("fastembed", "exported", partial(fastembed, rows=1), alone=False),
}
"""Ours first. A `best` one reads 512 tokens, in batches that are the quickest for mixed texts: of 4, 8, 16 and 32 texts, or of 1, 4
and 16."""
