"""A metadata hook that names the releases of the models among the project's URLs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

from hatch_heimdall_models.config import TABLE
from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.lock import read_manifest
from hatch_heimdall_models.pinning import pins_file
from hatch_heimdall_models.project import build_hooks, read_config

LABEL = "Models"


class HeimdallModelsUrls(MetadataHookInterface):
    """Adds the release pages of the pinned assets to the URLs in its own table.

    Needs `urls` in `project.dynamic`, since no metadata field is both static and dynamic:

        [tool.hatch.metadata.hooks.heimdall-models.urls]
        Homepage = "https://example.org"
    """

    PLUGIN_NAME = TABLE

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the project's URLs.

        Args:
            metadata: hatchling's mutable `project` table.
        """
        try:
            metadata["urls"] = {**self._own_urls(), **self._release_urls()}
        except ModelBuildError as error:
            # As in the build hook: only an exit leaves no traceback in every front end.
            print(f"hatch-heimdall-models: error: {error}", file=sys.stderr)  # noqa: T201
            sys.exit(1)

    def _own_urls(self) -> dict[str, str]:
        urls = self.config.get("urls", {})
        if isinstance(urls, dict) and all(isinstance(url, str) for url in urls.values()):
            return urls
        where = f"{build_hooks(Path(self.root))[1].removesuffix('build.hooks')}metadata.hooks.{TABLE}.urls"
        raise ModelBuildError(
            "the metadata hook's configuration",
            [f"{where}: expected a table of strings, found {urls!r}"],
        )

    def _release_urls(self) -> dict[str, str]:
        root = Path(self.root)
        config = read_config(root)
        # Without pins there is no release to name, and the build hook says what to do.
        source = pins_file(root, config)
        manifest = read_manifest(root / source) if source else None
        tags = (
            sorted({asset.tag for model in manifest.models for asset in model.assets})
            if manifest
            else []
        )
        labels = [LABEL] if len(tags) == 1 else [f"{LABEL} {tag}" for tag in tags]
        return {
            # Indexes show labels of at most 32 characters.
            label[:32]: f"https://github.com/{config.repository}/releases/tag/{tag}"
            for label, tag in zip(labels, tags, strict=True)
        }
