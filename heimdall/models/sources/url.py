"""A single file at a URL that the manifest names, such as upstream's own at Hugging Face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..errors import SourceError
from ..manifest import PinnedFile, PinnedModel
from ..space import require_space
from ..transfer.download import Target, download
from ..transfer.partials import claim
from .base import Context


@dataclass(frozen=True, slots=True)
class FilesAtUrls:
    """Every file from the first http or https place in its `also`."""

    place: str
    name: str = "huggingface"
    remote: bool = True

    def deliver(self, wanted: Sequence[PinnedFile], context: Context) -> None:
        """Download each file that has such a place."""
        require_space(context.store.root, sum(file.size for file in wanted))
        failures = [error for file in wanted if (error := _first_sound(file, context))]
        if failures:
            reasons = "; ".join(error.reason for error in failures)
            raise SourceError(
                reasons,
                transient=any(error.transient for error in failures),
                unreachable=all(error.unreachable for error in failures),
            )


def _first_sound(file: PinnedFile, context: Context) -> SourceError | None:
    """Ask the file's URLs one after the other; None when one delivered, else what the last one did."""
    failure = SourceError(f"the manifest names no URL for {file.path}")
    for url in urls(file):
        try:
            _fetch(url, file, context)
        except SourceError as error:
            failure = error
        else:
            return None
    return failure


def _fetch(url: str, file: PinnedFile, context: Context) -> None:
    with claim(context.store.partial, file.sha256) as partial:
        target = Target(file.path, limit=file.size, size=file.size, sha256=file.sha256)
        download(context.client, url, target, partial, context.progress)
        context.store.publish_blob(file, partial.path)


def urls(file: PinnedFile) -> list[str]:
    """The file's http and https places."""
    return [place for place in file.also if place.startswith(("https://", "http://"))]


def files_at_urls(model: PinnedModel) -> FilesAtUrls | None:
    """The source, if any of the model's files has such a place."""
    hosts = {urlsplit(url).hostname or "" for file in model.files for url in urls(file)}
    return FilesAtUrls(", ".join(sorted(hosts))) if hosts else None
