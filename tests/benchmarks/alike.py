"""How well what is stored twice, or contradicts, is told: `python -m tests.benchmarks alike [--data FOLDER]`.

Pairs of `alike.toml` should be told, what is said about the same thing should not; nor should any two of the decisions of
`repositories*.json`, or of a conversation's turns, in a folder that is given.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path

import click
import numpy as np

from cognitive_memory.retrieval import alike
from tests.benchmarks.recall_engine import Engine
from tests.benchmarks.recall_sets import Sets
from tests.support.real_model import DIRECTORY

Pair = tuple[str, str]


class Likeness:
    """Of pairs of texts, as `cognitive_memory.retrieval.alike` has it."""

    def __init__(self, texts: Iterable[str]) -> None:
        known = list(dict.fromkeys(texts))
        self._words = {text: alike.words_of(text) for text in known}
        self._vectors = dict(zip(known, Engine(DIRECTORY).embed(known), strict=True))

    def words(self, pair: Pair) -> float:
        return alike.overlap(*map(self._words.__getitem__, pair))

    def both(self, pair: Pair) -> float:
        one, other = map(self._vectors.__getitem__, pair)
        return alike.together(self.words(pair), float(one @ other))


def pairs_of(data: Path | None) -> Iterator[tuple[str, bool, list[Pair]]]:
    """Name, whether they should be told, and the pairs."""
    table = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    said = [each["said"] for each in table["memory"]]
    for form, wanted in (("again", True), ("changed", True), ("other", False)):
        yield form, wanted, [(each["said"], each[form]) for each in table["memory"]]
    yield "two of what is said", False, list(combinations(said, 2))
    if data is None:
        return
    sets = Sets.read(data)
    decisions = [each.text for each in sets.decisions]
    yield "two decisions", False, list(combinations(decisions, 2))
    for conversation in sets.conversations:
        turns = [turn.text for turn in conversation.turns][:200]
        yield f"two turns of {conversation.id}", False, list(combinations(turns, 2))


@click.command()
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(data: Path | None) -> None:
    """Print, for words alone and with meaning, which part of the pairs is told."""
    groups = list(pairs_of(data))
    likeness = Likeness(text for _, _, pairs in groups for pair in pairs for text in pair)
    for name, wanted, pairs in groups:
        told = "told" if wanted else "told wrongly"
        words = np.array([likeness.words(pair) for pair in pairs])
        both = np.array([likeness.both(pair) for pair in pairs])
        print(
            f"{name} ({len(pairs)} pairs), {told}: {_share(words)} by words, {_share(both)} with meaning"
        )


def _share(values: np.ndarray) -> str:
    return f"{np.mean(values >= alike.ALIKE):.4f}"


if __name__ == "__main__":
    main()
