"""What everybody gets: a release's files by their public URL, exactly as heimdall asks for them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from release.gh import Gh
from release.transfer import UnavailableError, fetch

_WAITS = (0.5, 1.0, 2.0, 4.0)
"""Seconds before each further try: what has just been published may take a moment to be everywhere."""


def fetch_published(
    gh: Gh, tag: str, target: Path, *, sha256: str, size: int, say: Callable[[str], None]
) -> str:
    """Download a release's file without credentials and compare; its URL.

    Where there is nothing yet, it is tried again for some seconds.

    Args:
        gh: the repository.
        tag: of the release.
        target: where to put it, with the name that the release has for it.
        sha256: that it must have.
        size: that it must have, in bytes.
        say: hears of each further try.

    Raises:
        UnavailableError: if it can't be had.
        ModelBuildError: if it has other bytes.
    """
    path = quote(f"{gh.repository}/releases/download/{tag}/{target.name}")
    url = f"{gh.url}/{path}"
    for wait in _WAITS:
        try:
            fetch(url, target, sha256=sha256, size=size)
        except UnavailableError as error:
            say(f"{error}; trying again in {wait:g} s")
            time.sleep(wait)
        else:
            return url
    fetch(url, target, sha256=sha256, size=size)
    return url
