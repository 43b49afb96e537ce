"""How near the variants' vectors are to those of upstream's weights: `python -m tests.benchmarks.quality`.

Cosines text by text, the share of texts whose nearest neighbour stays the same, and the processor time of one thread beside
the standard variant's. Texts are this project's own documents, paragraph by paragraph, made-up ones of many lengths, and
pieces that no dictionary has; a file with one text a line can be given instead.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import click
import numpy as np

from cognitive_memory.core.variants import pinned_graph
from cognitive_memory.encoding import Encoder
from tests.benchmarks.corpus import mixed_texts, short_texts
from tests.support.real_model import DIRECTORY, ROOT

MODEL = "all-MiniLM-L6-v2"
_ODD = [
    "a",
    "7",
    "?",
    "日本語のテキスト",
    "😀",
    "x = [1, 2]",
    "w" * 200,
    "the " * 300,
    "0x7fff",
    "https://a.example/b?c=d",
]


def texts_of_the_project() -> list[str]:
    """Paragraphs of the documents, made-up texts, odd ones."""
    paths = [
        ROOT / "README.md",
        *sorted((ROOT / "docs").glob("*.md")),
        *sorted(ROOT.glob("hatch*/README.md")),
    ]
    documents = "\n\n".join(path.read_text(encoding="utf-8") for path in paths)
    parts = (part.strip() for part in re.split(r"\n\s*\n|\n(?=[-#|])", documents))
    return [
        *dict.fromkeys(part for part in parts if len(part) > 20),
        *mixed_texts(100),
        *short_texts(100),
        *_ODD,
    ]


def neighbours(vectors: np.ndarray) -> np.ndarray:
    """Each text's nearest other text."""
    similar = vectors @ vectors.T
    np.fill_diagonal(similar, -2)
    return similar.argmax(axis=1)


def compare(texts: Sequence[str], rounds: int) -> list[str]:
    """A line for each variant."""
    places = {"standard": DIRECTORY, "compact": DIRECTORY / "compact", "fast": DIRECTORY}
    encoders = {
        name: Encoder.load(path, graph=pinned_graph(MODEL, name), device="cpu")
        for name, path in places.items()
    }
    vectors = {name: encoder.encode_batch(texts) for name, encoder in encoders.items()}
    sample = mixed_texts(60, seed=7)
    seconds: dict[str, list[float]] = {name: [] for name in encoders}
    for _ in range(rounds):
        for name, encoder in encoders.items():
            began = time.process_time()
            encoder.encode_batch(sample)
            seconds[name].append(time.process_time() - began)
    lines = [f"{'':10}{'cosine least':>14}{'mean':>10}{'neighbours':>12}{'times as fast':>15}"]
    for name, found in vectors.items():
        cosines = (found * vectors["standard"]).sum(axis=1, dtype=np.float64)
        same = (neighbours(found) == neighbours(vectors["standard"])).mean()
        ratio = median(
            ours / theirs for ours, theirs in zip(seconds["standard"], seconds[name], strict=True)
        )
        lines.append(
            f"{name:10}{cosines.min():14.5f}{cosines.mean():10.5f}{same:12.3f}{ratio:15.2f}"
        )
    return lines


@click.command()
@click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False
)
@click.option(
    "--rounds", type=click.IntRange(1), default=7, show_default=True, help="Rounds of timing."
)
def main(file: Path | None, rounds: int) -> None:
    """Compare the variants on this project's texts, or on the lines of FILE."""
    texts = (
        [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
        if file
        else None
    )
    texts = texts or texts_of_the_project()
    click.echo(
        "\n".join(
            [f"{len(texts)} texts; processor time, all cores together", *compare(texts, rounds)]
        )
    )


if __name__ == "__main__":
    main()
