"""`release build`: the model directory, from upstream's files and what we add to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from filelock import FileLock, Timeout

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.files import PART_SUFFIX, sha256_of, write_if_different
from hatch_heimdall_models.inventory import IGNORED_NAMES
from release.bert_config import BertConfig, parse_bert_config
from release.compact_graph import compact_graph_bytes
from release.fast_graph import fast_graph_bytes
from release.graph import graph_bytes
from release.model_files import SETTINGS_PATH, every_path, settings_bytes
from release.recipe import WEIGHTS_NAME, Graph, Recipe, UpstreamFile
from release.sources import fetch_files

_CONFIG_NAME = "config.json"


def build_model(
    recipe: Recipe, output: Path, cache: Path, say: Callable[[str], None], *, patience: float = 600
) -> list[str]:
    """Make `output` hold the model, whole and exactly; what is right already is left alone.

    Each file is replaced atomically. Two builds with the same cache wait for one another.

    Args:
        recipe: what the model is made from.
        output: the model's directory; made when it is not there.
        cache: directory for downloads and for upstream's files that are only read.
        say: receives a line about each step.
        patience: seconds to wait for another build.

    Returns:
        The paths that had to be written, in the order of writing.

    Raises:
        ModelBuildError: if there is a file in `output` that is no part of the model, if upstream's
            files can't be had or do not fit the graph, or if another build does not end.
    """
    cache.mkdir(parents=True, exist_ok=True)
    with _alone(cache / "build.lock", say, patience):
        return _build(recipe, output, cache, say)


@contextmanager
def _alone(lock_file: Path, say: Callable[[str], None], patience: float) -> Iterator[None]:
    lock = FileLock(lock_file)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say(f"waiting for another build, which holds {lock_file}")
        try:
            lock.acquire(timeout=patience)
        except Timeout as error:
            problem = f"another build still holds it after {patience:g} seconds: wait for that one to end, or end it"
            raise ModelBuildError(str(lock_file), [problem]) from error
    try:
        yield
    finally:
        lock.release()


def _build(recipe: Recipe, output: Path, cache: Path, say: Callable[[str], None]) -> list[str]:
    _tidy(output, every_path(recipe))
    targets = {file: _target(file, output, cache) for file in recipe.files}
    wanted = {file: target for file, target in targets.items() if not _is_right(file, target)}
    # Hashing what is there is all that a second build costs.
    if wanted:
        fetch_files(recipe, wanted, cache, say)
    written = [file.path for file in wanted if file.path is not None]

    config_file = targets[recipe.file(_CONFIG_NAME)]
    weights_file = targets[recipe.file(WEIGHTS_NAME)]
    config = parse_bert_config(config_file.read_bytes(), subject=str(config_file))
    made: dict[str, bytes] = {}
    for variant in recipe.every:
        contents = {
            graph.path: _graph(graph, variant.name, config, weights_file)
            for graph in variant.graphs
        }
        contents[SETTINGS_PATH] = settings_bytes(variant, config)
        if variant.folder:
            # Copies, so that each set's folder can be loaded by itself.
            contents |= {path: (output / path).read_bytes() for path in variant.shipped}
        made |= {str(PurePosixPath(variant.folder, path)): contents[path] for path in contents}
    return written + [
        path for path, content in made.items() if write_if_different(output / path, content)
    ]


def _graph(graph: Graph, name: str, config: BertConfig, weights: Path) -> bytes:
    build = BUILDERS.get(graph.builder)
    if build is None:
        known = ", ".join(BUILDERS)
        problem = f"the graph {graph.variant!r} has the builder {graph.builder!r}, expected one of {known}"
        raise ModelBuildError("recipe", [problem])
    return build(name, config, weights)


BUILDERS: Mapping[str, Callable[[str, BertConfig, Path], bytes]] = {
    "float32": graph_bytes,
    "int8": fast_graph_bytes,
    "int8-weights": compact_graph_bytes,
}
"""What makes a graph, by the name that a recipe has for it: of the model's name, its configuration
and the weights file.
"""


def _target(file: UpstreamFile, output: Path, cache: Path) -> Path:
    """Where the file goes; one that is only read stays in the cache, under its digest."""
    return (
        output / file.path
        if file.path is not None
        else cache / f"{file.sha256[:16]}-{Path(file.name).name}"
    )


def _is_right(file: UpstreamFile, target: Path) -> bool:
    return (
        target.is_file() and target.stat().st_size == file.size and sha256_of(target) == file.sha256
    )


def _tidy(output: Path, expected: frozenset[str]) -> None:
    """Remove what a killed build left half written.

    Refuse to build beside files that are nobody's.
    """
    strangers = []
    for path in sorted(output.rglob("*")):
        if path.is_dir():
            continue
        relative = path.relative_to(output).as_posix()
        # Nobody else is writing: this build has the lock.
        if path.name.startswith(".") and path.name.endswith(PART_SUFFIX):
            path.unlink()
        elif relative not in expected and path.name not in IGNORED_NAMES:
            strangers.append(f"{relative} is no part of the model: move it elsewhere or remove it")
    if strangers:
        raise ModelBuildError(str(output), strangers)
