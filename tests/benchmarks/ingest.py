"""Loading a folder against the embedding engine alone: `python -m tests.benchmarks.ingest FOLDER [--rounds N] [--files N]`.

Both embed the same texts. The engine gets all of them at once, in memory; loading reads the files, cuts them, writes memories
and vectors to a database on disk. Rounds are paired and alternate; the ratio is the median of theirs.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from statistics import median

import click

from cognitive_memory.core.config import EmbeddingConfig
from cognitive_memory.embedding.embedder import ModelEmbedder, embedded_text
from cognitive_memory.ingest.folders import load_paths
from cognitive_memory.ingest.walking import walk
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.storage.store import MemoryStore
from tests.support.real_model import require_real_model


def _timed(action: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock, and of all cores."""
    clock, work = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - clock, time.process_time() - work


def _load(files: list[Path], folder: Path, engine: ModelEmbedder) -> list[str]:
    with (
        tempfile.TemporaryDirectory() as place,
        ProjectMemory(
            MemoryStore(Path(place) / "memory.db", embedding_space=engine.embedding_space), engine
        ) as memory,
    ):
        load_paths(memory, files, folder)
        memory.embed_pending()
        status = memory.storage.status()
        assert status.memories == status.embedded
        return [embedded_text(found.text, found.context) for found in memory.memories()]


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--rounds", default=5, show_default=True)
@click.option(
    "--files", "limit", default=100, show_default=True, help="Load that many of the folder's files."
)
def main(folder: Path, rounds: int, limit: int) -> None:
    """Measure, and print the share of the engine's own speed that loading reaches."""
    config = EmbeddingConfig(model_cache_dir=str(require_real_model()))
    files = [file.path for file in islice(walk([folder], folder).files, limit)]
    engine = ModelEmbedder(config)
    texts = _load(files, folder, engine)
    times: dict[str, list[tuple[float, float]]] = {"loading": [], "engine": []}
    for number in range(rounds):
        actions: list[tuple[str, Callable[[], object]]] = [
            ("loading", lambda: _load(files, folder, engine)),
            ("engine", lambda: engine.embed(texts)),
        ]
        for name, action in actions if number % 2 else reversed(actions):
            times[name].append(_timed(action))
    print(
        f"{len(files)} files, {len(texts)} memories, {sum(map(len, texts)):,} characters; {rounds} rounds, medians"
    )
    for name, measured in times.items():
        clock, work = (median(column) for column in zip(*measured, strict=True))
        print(
            f"  {name:<8} {clock:7.2f} s on the clock  {work:7.2f} s of all cores  {len(texts) / clock:6.0f} memories/s"
        )
    for place, what in enumerate(("the clock", "all cores")):
        pairs = zip(times["engine"], times["loading"], strict=True)
        print(
            f"  loading at {median(a[place] / b[place] for a, b in pairs):.0%} of the engine alone, by {what}"
        )


if __name__ == "__main__":
    main()
