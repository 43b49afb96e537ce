"""How well questions find their answers, over all sets at once:
`python -m tests.benchmarks recall --data FOLDER --repositories FOLDER --cache FOLDER`.

Databases and vectors stay in a cache folder, so that after a change of the ranking only the questions are asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import click
import numpy as np

from cognitive_memory.core.memory import Memory
from cognitive_memory.core.recall import Recall
from cognitive_memory.project_memory import ProjectMemory
from tests.benchmarks.recall_engine import Engine
from tests.benchmarks.recall_quality import MEASURES, measure
from tests.benchmarks.recall_sets import Asked, Databases, Decision, Issue, Sets
from tests.support.real_model import DIRECTORY

DEPTH = 200
"""How far down a right answer is looked for; one that is deeper counts as missing."""


def first_right(recall: Recall, accepts: Callable[[Memory], bool]) -> float:
    """The place of the first right hit, from 1; infinity where there is none."""
    places = (place for place, hit in enumerate(recall.hits, 1) if accepts(hit.memory))
    return next(places, np.inf)


def within(ranks: Iterable[float]) -> str:
    """How many are among the first, the first three, and the first ten."""
    values = list(ranks)
    return " / ".join(str(sum(rank <= most for rank in values)) for most in (1, 3, 10))


def of_conversations(sets: Sets, databases: Databases) -> Iterator[str]:
    parts, weak = [], []
    for conversation in sets.conversations:
        turns = {turn.memory_id: turn.id for turn in conversation.turns}
        with closing(databases.conversation(conversation)) as memory:

            def rank(question: str) -> list[str]:
                answer = memory.recall(question, limit=len(turns))  # noqa: B023 (called at once)
                weak.append(answer.weak)
                return [turns[hit.memory.id] for hit in answer.hits]  # noqa: B023

            parts.append(measure(conversation, conversation.questions, rank).each)
    means = np.concatenate(parts).mean(axis=0)
    figures = ", ".join(f"{name} {value:.3f}" for name, value in zip(MEASURES, means, strict=True))
    yield f"conversations: {figures}; weak said wrongly of {np.mean(weak):.3f}"


def of_repositories(sets: Sets, databases: Databases) -> Iterator[str]:
    """The questions, the decisions stored beside, and the questions of the other repositories."""
    every: list[float] = []
    verdicts: list[tuple[bool, bool]] = []
    lines = []
    for name in sets.repositories:
        with closing(databases.repository(name, sets.heads[name], sets.decisions)) as memory:
            answers = [
                (question, memory.recall(question.text, limit=DEPTH)) for question in sets.questions
            ]
            told = [(q, a) for q, a in answers if q.repository == name]
            ranks = [first_right(answer, question.accepts) for question, answer in told]
            stored = [each for each in sets.decisions if each.repository == name]
            places = [_place(memory, each) for each in stored]
        every += ranks
        verdicts += [(answer.weak, question.repository != name) for question, answer in answers]
        above = sum(_decisions_above(answer, question) for question, answer in told)
        lines.append(
            f"{name}: first right within 1 / 3 / 10: {within(ranks)}; "
            f"decisions above the right answer or among the first three: {above}"
        )
        if stored:
            lines.append(f"{name}: ranks of stored decisions: {', '.join(map(_shown, places))}")
    yield f"repositories: first right within 1 / 3 / 10: {within(every)} of {len(every)}"
    yield from lines
    yield _verdicts(verdicts)


def _place(memory: ProjectMemory, decision: Decision) -> float:
    answer = memory.recall(decision.question, limit=DEPTH)
    return first_right(answer, lambda found: found.text == decision.text)


def _decisions_above(answer: Recall, question: Asked) -> int:
    """How many decisions stand where the answer, or the first three, should."""
    place = first_right(answer, question.accepts)
    most = min(max(place - 1, 3), 10)
    return sum(hit.memory.origin == "stored" for hit in answer.hits[: int(most)])


def _verdicts(verdicts: Sequence[tuple[bool, bool]]) -> str:
    """What the verdict "weak" is worth: of pairs of the verdict, and whether there is no answer."""
    said = [unanswerable for weak, unanswerable in verdicts if weak]
    without = [weak for weak, unanswerable in verdicts if unanswerable]
    if not without:
        return "without an answer: none, since there is one repository only"
    precision = sum(said) / len(said) if said else np.nan
    return (
        f"without an answer ({len(without)} of {len(verdicts)} questions): "
        f"weak said {len(said)} times, precision {precision:.3f}, recall {np.mean(without):.3f}"
    )


def of_issues(sets: Sets, databases: Databases) -> Iterator[str]:
    rows: dict[str, list[tuple[float, float]]] = {"titles": [], "full issues": []}
    for name, head in dict.fromkeys((issue.repository, issue.head) for issue in sets.issues):
        with closing(databases.history(name, head)) as memory:
            for issue in sets.issues:
                if (issue.repository, issue.head) == (name, head):
                    rows["titles"].append(_found(memory, issue, issue.title))
                    rows["full issues"].append(_found(memory, issue, issue.statement))
    for form, found in rows.items():
        recalled, reciprocal = np.mean(found, axis=0)
        yield f"issues to commits, {form}: R@10 {recalled:.3f}, MRR {reciprocal:.3f}"


def _found(memory: ProjectMemory, issue: Issue, question: str) -> tuple[float, float]:
    """Whether one of the first ten commits is a fix, and the reciprocal rank of the first."""
    answer = memory.recall(question, limit=DEPTH)
    place = first_right(answer, lambda found: found.metadata.get("commit") in issue.fix)
    return float(place <= 10), 1 / place


def _shown(rank: float) -> str:
    return f"{rank:.0f}" if rank < np.inf else f"> {DEPTH}"


@click.command("recall", context_settings={"show_default": True})
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="The sets, as tests/benchmarks/recall_sets.py tells.",
)
@click.option(
    "--repositories",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Git directories or checkouts, named owner+name; needed until they are loaded.",
)
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Keeps the loaded databases and all vectors; remove its *.db but vectors.db to load anew.",
)
@click.option(
    "--models", type=click.Path(exists=True, file_okay=False, path_type=Path), default=DIRECTORY
)
@click.option(
    "--exact",
    is_flag=True,
    help="Embed with the variant's own graph alone; needs a cache of its own.",
)
def main(data: Path, repositories: Path | None, cache: Path, models: Path, *, exact: bool) -> None:
    """Ask all questions of all sets, and tell how well they are answered."""
    cache.mkdir(parents=True, exist_ok=True)
    sets = Sets.read(data)
    engine = Engine(models, vectors=cache / "vectors.db", exact=exact)
    databases = Databases(cache, repositories, engine)
    for evaluate, questions in (
        (of_conversations, sets.conversations),
        (of_repositories, sets.questions),
        (of_issues, sets.issues),
    ):
        if questions:
            for line in evaluate(sets, databases):
                click.echo(line)
