"""Fits the code of tokens, which comes with the release: `python -m tests.benchmarks token-code`.

What it learns from is the documentation in Python's own standard library (PSF licence): docstrings, and the language
reference that `help()` shows.
"""

from __future__ import annotations

import ast
import random
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from pydoc_data import topics

import click
import numpy as np

from cognitive_memory.encoding import token_code
from cognitive_memory.encoding.session import ModelSession
from cognitive_memory.encoding.tokenization import TOKENIZER_NAME, TextTokenizer
from cognitive_memory.retrieval.keywords import STOP_WORDS
from tests.support.real_model import DIRECTORY

TEXTS = 3_000
"""How many texts are looked at."""
_LEAST, _MOST = 60, 1_200
"""Characters of a text."""


def texts() -> list[str]:
    """Paragraphs of documentation, in an order that is always the same for one Python."""
    found = [text[:_MOST] for text in (*_docstrings(), *_reference()) if len(text) >= _LEAST]
    random.Random(1).shuffle(found)
    return found[:TEXTS]


def _docstrings() -> Iterator[str]:
    library = Path(sysconfig.get_path("stdlib"))
    for path in sorted([*library.glob("*.py"), *library.glob("*/*.py")]):
        if path.relative_to(library).parts[0] in {"site-packages", "dist-packages", "test"}:
            continue
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
                yield ast.get_docstring(node) or ""


def _reference() -> Iterator[str]:
    for topic in topics.topics.values():
        yield from topic.split("\n\n")


def fit(directory: Path, name: str, width: int) -> np.ndarray:
    """The directions in which the last hidden states of the texts' tokens differ most, shape (the states' width, `width`)."""
    session = ModelSession(directory / f"{name}.onnx", threads=2)
    tokenize = TextTokenizer(directory, 512)
    total: np.ndarray = np.zeros(1)
    products: np.ndarray = np.zeros((1, 1))
    count = 0
    for row in tokenize(texts()).rows:
        (states,) = session.run_whole([row])[1]
        states = states[1:-1].astype(np.float64)
        states /= np.linalg.norm(states, axis=1, keepdims=True)
        total = total + states.sum(axis=0)
        products = products + states.T @ states
        count += len(states)
    mean = total / count
    values, vectors = np.linalg.eigh(products / count - np.outer(mean, mean))
    share = values[-width:].sum() / values.sum()
    click.echo(f"{count:,} tokens; {width} directions have {share:.3f} of the variance")
    # Which way a direction points is chance.
    best = vectors[:, : -width - 1 : -1]
    return best * np.sign(best[np.abs(best).argmax(axis=0), range(width)])


def telling(directory: Path) -> np.ndarray:
    """Which tokens of the vocabulary say something by themselves."""
    from tokenizers import Tokenizer

    vocabulary = Tokenizer.from_file(str(directory / TOKENIZER_NAME)).get_vocab()
    says = np.zeros(len(vocabulary), dtype=np.bool_)
    for token, index in vocabulary.items():
        special = token.startswith("[") and token.endswith("]")
        says[index] = not special and any(map(str.isalnum, token)) and token not in STOP_WORDS
    return says


@click.command("token-code", context_settings={"show_default": True})
@click.option(
    "--models", type=click.Path(exists=True, file_okay=False, path_type=Path), default=DIRECTORY
)
@click.option("--model", "name", default="all-MiniLM-L6-v2")
@click.option("--width", default=48)
def main(models: Path, name: str, width: int) -> None:
    """Fit what tokens are projected to, and write it into the package."""
    target = Path(token_code.__file__).parent / "token_codes" / f"{name}.npy"
    target.parent.mkdir(exist_ok=True)
    projection = fit(models, name, width).astype("<f2")
    says = np.packbits(telling(models))
    # One array of two fields: what reads several from a zip archive takes longer to load.
    fields = [("projection", "<f2", projection.shape), ("telling", "u1", says.shape)]
    np.save(target, np.array((projection, says), dtype=fields))
    click.echo(f"wrote {target}, {target.stat().st_size:,} bytes")
