"""How well a question finds its answer beside grep, BM25 and cosine: `python -m tests.benchmarks recall-peers --data FILE [--tune]`."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import numpy as np

from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.retrieval.keywords import STOP_WORDS
from cognitive_memory.retrieval.recaller import Recaller
from cognitive_memory.retrieval.scoring import Weights
from cognitive_memory.storage.store import MemoryStore
from tests.benchmarks.conversations import Conversation, Question, read
from tests.benchmarks.recall_engine import Engine
from tests.support.real_model import DIRECTORY

OURS = "heimdall"
CUT = 10
MEASURES = ("turn R@10", "any turn", "session R@10", "any session", "MRR")

Rank = Callable[[str], Sequence[str]]
"""From a question to turn ids, best first."""


@dataclass(frozen=True)
class Figures:
    """The measures of some questions.

    Turn and session recall are the share of a question's evidence that the first ten hold, averaged over questions;
    "any" is the share of questions with at least one. MRR goes by the first turn of the evidence, however far down it is.
    """

    each: np.ndarray
    """Shape (questions, len(MEASURES))."""

    @property
    def mean(self) -> np.ndarray:
        return self.each.mean(axis=0)


def measure(conversation: Conversation, questions: Iterable[Question], rank: Rank) -> Figures:
    rows = []
    for question in questions:
        order = list(rank(question.text))
        first = frozenset(order[:CUT])
        sessions = conversation.sessions_of(question.evidence)
        places = [place for place, turn in enumerate(order, 1) if turn in question.evidence]
        rows.append(
            (
                len(first & question.evidence) / len(question.evidence),
                bool(first & question.evidence),
                len(sessions & conversation.sessions_of(first)) / len(sessions),
                bool(sessions & conversation.sessions_of(first)),
                1 / places[0] if places else 0.0,
            )
        )
    return Figures(np.array(rows, dtype=float).reshape(-1, len(MEASURES)))


def words_of(question: str) -> list[str]:
    words = re.findall(r"\w+", question.casefold())
    return [word for word in words if word not in STOP_WORDS] or words


def grep(conversation: Conversation) -> Rank:
    """Lines by how many of the question's words they contain, as `grep -i -e WORD …` shows them; then the newest."""
    lines = [(turn.id, turn.text.casefold()) for turn in conversation.turns]

    def rank(question: str) -> list[str]:
        words = set(words_of(question))
        counts = [sum(word in line for word in words) for _, line in lines]
        order = sorted(range(len(lines)), key=lambda index: (-counts[index], -index))
        return [lines[index][0] for index in order if counts[index]]

    return rank


def bm25(conversation: Conversation) -> Rank:
    """SQLite's own BM25 over the turns alone, stemmed, stop words left out."""
    connection = sqlite3.connect(":memory:")
    connection.execute(
        "CREATE VIRTUAL TABLE turns USING fts5 (text, tokenize = 'porter unicode61')"
    )
    connection.executemany(
        "INSERT INTO turns (text) VALUES (?)", [(turn.text,) for turn in conversation.turns]
    )

    def rank(question: str) -> list[str]:
        match = " OR ".join(f'"{word}"' for word in words_of(question))
        found = connection.execute(
            "SELECT rowid FROM turns WHERE turns MATCH ? ORDER BY rank", (match,)
        )
        return [conversation.turns[row[0] - 1].id for row in found]

    return rank


def dense(conversation: Conversation, engine: Engine) -> Rank:
    """The cosine of the turns alone."""
    vectors = engine.embed([turn.text for turn in conversation.turns])

    def rank(question: str) -> list[str]:
        order = np.argsort(-(vectors @ engine.embed([question])[0]), kind="stable")
        return [conversation.turns[index].id for index in order]

    return rank


def ours(conversation: Conversation, recaller: Recaller | ProjectMemory, **options: Any) -> Rank:
    """What users get; all memories are asked for, for the sake of MRR."""
    turns = {turn.memory_id: turn.id for turn in conversation.turns}

    def rank(question: str) -> list[str]:
        hits = recaller.recall(question, limit=len(turns), **options).hits
        return [turns[hit.memory.id] for hit in hits]

    return rank


def load(conversation: Conversation, directory: Path, engine: Engine) -> MemoryStore:
    """A database with a conversation's turns and their vectors."""
    store = MemoryStore(directory / f"{conversation.id}.db", embedding_space=engine.embedding_space)
    memory = ProjectMemory(store, engine)
    memory.store_many([turn.as_memory() for turn in conversation.turns])
    memory.embed_pending()
    return store


VARIANTS = {
    "keywords alone": Weights(meaning=0.0),
    "meaning alone": Weights(meaning=1.0),
    "context not among keywords": Weights(columns=(1.0, 0.0, 1.0, 1.0)),
    "context as much as text": Weights(columns=(1.0, 1.0, 1.0, 1.0)),
    "dates and parts not among keywords": Weights(columns=(1.0, 0.4, 1.0, 0.0)),
    "neither recency nor importance": Weights(recency=0.0, importance=0.0),
}


def vary(
    conversations: Sequence[Conversation], directory: Path, engine: Engine
) -> dict[str, list[Figures]]:
    """Figures of recall with one thing changed; "asked at once" is with memories as young as they can be."""
    results: dict[str, list[Figures]] = {}
    for conversation in conversations:
        store = load(conversation, directory, engine)
        contestants = {OURS: ours(conversation, Recaller(store, engine))}
        end = max(turn.date for turn in conversation.turns)
        contestants["asked at once"] = ours(conversation, Recaller(store, engine), now=end)
        for name, weights in VARIANTS.items():
            contestants[name] = ours(conversation, Recaller(store, engine, weights=weights))
        for name, rank in contestants.items():
            results.setdefault(name, []).append(measure(conversation, conversation.questions, rank))
        store.close()
    return results


def compare(
    conversations: Sequence[Conversation], directory: Path, engine: Engine
) -> dict[str, list[Figures]]:
    """Figures of each contestant for each conversation."""
    results: dict[str, list[Figures]] = {}
    for conversation in conversations:
        with ProjectMemory(load(conversation, directory, engine), engine) as memory:
            contestants = {
                "grep": grep(conversation),
                "BM25": bm25(conversation),
                "dense": dense(conversation, engine),
                OURS: ours(conversation, memory),
            }
            for name, rank in contestants.items():
                results.setdefault(name, []).append(
                    measure(conversation, conversation.questions, rank)
                )
    return results


GRID = tuple(product((0.4, 0.5, 0.6, 0.65, 0.7, 0.8), (0.2, 0.3, 0.4, 0.5, 0.7, 1.0)))
"""Shares of meaning, and weights of words in the context."""


def tune(conversations: Sequence[Conversation], directory: Path, engine: Engine) -> list[str]:
    """Leave one conversation out: what the others would choose, and how well that does on it."""
    figures: dict[tuple[float, float], list[Figures]] = {point: [] for point in GRID}
    for conversation in conversations:
        store = load(conversation, directory, engine)
        for meaning, context in GRID:
            default = Weights()
            columns = (default.columns[0], context, *default.columns[2:])
            recaller = Recaller(
                store, engine, weights=replace(default, meaning=meaning, columns=columns)
            )
            rank = ours(conversation, recaller)
            figures[meaning, context].append(measure(conversation, conversation.questions, rank))
        store.close()
    lines = [f"{'meaning':>9}{'context':>9}" + "".join(f"{name:>14}" for name in MEASURES)]
    lines += [
        f"{meaning:9.2f}{context:9.2f}{_row(parts)}"
        for (meaning, context), parts in figures.items()
    ]
    chosen = []
    for left_out, conversation in enumerate(conversations):
        others = {
            point: _total(
                [part for index, part in enumerate(parts) if index != left_out]
            ).mean.sum()
            for point, parts in figures.items()
        }
        best = max(others, key=lambda point: others[point])
        chosen.append(figures[best][left_out])
        lines.append(f"without {conversation.id}: meaning {best[0]:.2f}, context {best[1]:.2f}")
    return [*lines, f"{'left out, as the others chose':<18}{_row(chosen)}"]


def _total(parts: Sequence[Figures]) -> Figures:
    return Figures(np.concatenate([part.each for part in parts]))


def _row(parts: Sequence[Figures]) -> str:
    return "".join(f"{value:14.3f}" for value in _total(parts).mean)


def table(title: str, results: dict[str, Figures]) -> list[str]:
    width = max(map(len, results))
    lines = [title, f"  {'':{width}}" + "".join(f"{name:>14}" for name in MEASURES)]
    return lines + [f"  {name:{width}}{_row([figures])}" for name, figures in results.items()]


@click.command("recall-peers", context_settings={"show_default": True})
@click.option(
    "--data",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="Conversations with questions, as tests/benchmarks/conversations.py tells.",
)
@click.option(
    "--models", type=click.Path(exists=True, file_okay=False, path_type=Path), default=DIRECTORY
)
@click.option(
    "--tune",
    "tuning",
    is_flag=True,
    help="Try weights instead, leaving out one conversation at a time.",
)
@click.option(
    "--vary", "varying", is_flag=True, help="Show instead what each part of the score brings."
)
def main(data: Path, models: Path, *, tuning: bool, varying: bool) -> None:
    """Measure recall beside grep, BM25 and cosine alone."""
    conversations = read(data)
    engine = Engine(models)
    asked = sum(len(conversation.questions) for conversation in conversations)
    malformed = sum(conversation.malformed for conversation in conversations)
    unanswerable = sum(conversation.unanswerable for conversation in conversations)
    click.echo(
        f"{len(conversations)} conversations, {asked} questions; "
        f"left out: {malformed} malformed evidence ids, {unanswerable} questions without any other"
    )
    with TemporaryDirectory() as directory:
        if tuning:
            click.echo("\n".join(["", *tune(conversations, Path(directory), engine)]))
            return
        if varying:
            results = vary(conversations, Path(directory), engine)
            click.echo(
                "\n".join(
                    ["", *table("All", {name: _total(parts) for name, parts in results.items()})]
                )
            )
            return
        results = compare(conversations, Path(directory), engine)
    for index, conversation in enumerate(conversations):
        title = f"Conversation {conversation.id}: {len(conversation.turns)} turns, {len(conversation.questions)} questions"
        click.echo(
            "\n".join(["", *table(title, {name: parts[index] for name, parts in results.items()})])
        )
    click.echo(
        "\n".join(["", *table("All", {name: _total(parts) for name, parts in results.items()})])
    )


if __name__ == "__main__":
    main()
