"""The entry point of the distribution `hatch-heimdall-models`, for projects that name it in `build-system.requires`."""

from __future__ import annotations

from hatchling.plugin import hookimpl

from hatch_heimdall_models.hook import HeimdallModelsHook
from hatch_heimdall_models.metadata_hook import HeimdallModelsUrls


@hookimpl
def hatch_register_build_hook() -> type[HeimdallModelsHook]:
    """Make `[tool.hatch.build.hooks.heimdall-models]` known to hatchling."""
    return HeimdallModelsHook


@hookimpl
def hatch_register_metadata_hook() -> type[HeimdallModelsUrls]:
    """Make `[tool.hatch.metadata.hooks.heimdall-models]` known to hatchling."""
    return HeimdallModelsUrls
