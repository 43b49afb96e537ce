"""What everybody gets: a release's files by their public URL, exactly as heimdall asks for them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from release.transfer import UnavailableError, fetch

_WAITS = (0.5, 1.0, 2.0, 4.0)
"""Seconds before each further try: what has just been published may take a moment to be everywhere."""


def download_url(host: str, repository: str, tag: str, name: str) -> str:
    """The URL of a release's file.

    Args:
        host: the URL of GitHub, without a slash at the end.
        repository: `owner/name`.
        tag: of the release.
        name: of the file.
    """
    return f"{host}/{quote(repository)}/releases/download/{quote(tag)}/{quote(name)}"


def fetch_published(
    url: str, target: Path, *, sha256: str, size: int, say: Callable[[str], None]
) -> None:
    """Download without credentials and compare; where there is nothing yet, try again for some seconds.

    Raises:
        UnavailableError: if it can't be had.
        ModelBuildError: if it has other bytes.
    """
    for wait in _WAITS:
        try:
            return fetch(url, target, sha256=sha256, size=size)
        except UnavailableError as error:
            say(f"{error}; trying again in {wait:g} s")
            time.sleep(wait)
    return fetch(url, target, sha256=sha256, size=size)
