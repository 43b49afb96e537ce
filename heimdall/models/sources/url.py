"""Single files at URLs that the manifest names, such as upstream's own at Hugging Face."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..errors import SourceError
from ..manifest import PinnedFile, PinnedModel
from ..transfer.download import ask_byte
from ..transfer.http import Client
from .base import Context, try_each


@dataclass(frozen=True, slots=True)
class FilesAtUrls:
    """Every file from the first http or https place in its `also` that delivers."""

    place: str
    name: str = "huggingface"
    remote: bool = True

    def deliver(self, wanted: Sequence[PinnedFile], context: Context) -> None:
        """Download each file that has such a place."""

        def fetch(url: str, file: PinnedFile) -> None:
            with context.downloaded(url, file) as download:
                context.pinned.store.take(file, download)

        try_each(wanted, lambda file: _first_url(file, fetch))

    def probe(self, model: PinnedModel, client: Client) -> None:
        """Ask for one byte of each file that has such a place."""
        for file in model.files:
            if urls(file):
                _first_url(file, lambda url, file: ask_byte(client, url, file.size))


def _first_url(file: PinnedFile, ask: Callable[[str, PinnedFile], None]) -> None:
    """Ask the file's URLs one after the other until one succeeds; the last one's error is raised."""
    failure = SourceError(f"the manifest names no URL for {file.path}")
    for url in urls(file):
        try:
            return ask(url, file)
        except SourceError as error:
            failure = error
    raise failure


def urls(file: PinnedFile) -> list[str]:
    """The file's http and https places."""
    return [place for place in file.also if place.startswith(("https://", "http://"))]


def files_at_urls(model: PinnedModel) -> FilesAtUrls | None:
    """The source, if any of the model's files has such a place."""
    hosts = {urlsplit(url).hostname or "" for file in model.files for url in urls(file)}
    return FilesAtUrls(", ".join(sorted(hosts))) if hosts else None
