"""The entry point of the distribution `hatch-heimdall-models`, for projects that name it in `build-system.requires`."""

from __future__ import annotations

from hatchling.plugin import hookimpl

from hatch_heimdall_models.hook import HeimdallModelsHook


@hookimpl
def hatch_register_build_hook() -> type[HeimdallModelsHook]:
    """Make `[tool.hatch.build.hooks.heimdall-models]` known to hatchling."""
    return HeimdallModelsHook
