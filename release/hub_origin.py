"""Upstream's files from Hugging Face, or from a mirror that has them under the same paths."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hatch_heimdall_models.errors import ModelBuildError
from release.progress import megabytes
from release.recipe import HubOrigin, Recipe, UpstreamFile


def take_from_hub(
    recipe: Recipe, origin: HubOrigin, missing: dict[UpstreamFile, Path], say: Callable[[str], None]
) -> list[str]:
    """Move what the repository has from `missing` to its place; what went wrong.

    A host that does not answer for one file is not asked for the next.
    """
    from release.transfer import UnavailableError, fetch

    problems = []
    for file, target in list(missing.items()):
        url = recipe.url(file, origin)
        say(f"fetching {url} ({megabytes(file.size)})")
        try:
            fetch(url, target, sha256=file.sha256, size=file.size)
        except ModelBuildError as error:
            problems.append(str(error))
            if isinstance(error, UnavailableError) and error.status is None:
                break
        else:
            del missing[file]
    return problems
