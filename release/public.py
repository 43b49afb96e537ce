"""What everybody gets: a release's files by their public URL, exactly as heimdall asks for them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from hatch_heimdall_models.manifest import Asset
from release.gh import Gh
from release.transfer import UnavailableError, fetch

_WAITS = (0.5, 1.0, 2.0, 4.0)
"""Seconds before each further try: what has just been published may take a moment to be everywhere.
"""


def fetch_published(gh: Gh, asset: Asset, folder: Path, say: Callable[[str], None]) -> Path:
    """Download a release's file without credentials and compare; where it lies in the folder.

    Where there is nothing yet, it is tried again for some seconds.

    Args:
        gh: the repository.
        asset: what it must be.
        folder: where to put it.
        say: hears of each further try, and of the file once it is right.

    Raises:
        UnavailableError: if it can't be had.
        ModelBuildError: if it has other bytes.
    """
    path = quote(f"{gh.repository}/releases/download/{asset.tag}/{asset.name}")
    url, target = f"{gh.url}/{path}", folder / asset.name
    for wait in (*_WAITS, None):
        try:
            fetch(url, target, sha256=asset.sha256, size=asset.size)
            break
        except UnavailableError as error:
            if wait is None:
                raise
            say(f"{error}; trying again in {wait:g} s")
            time.sleep(wait)
    say(f"{url} has the pinned bytes")
    return target
