"""Does a source answer, and does it have what is pinned? Asked for one byte, through the client that fetches."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from .errors import SourceError
from .manifest import PinnedModel
from .secrets import redact_url as redact
from .settings import Settings
from .sources.asset import AssetAtUrl, AssetInFile
from .sources.base import Source
from .sources.index import WheelMembers, credentials_for, places
from .sources.pip_settings import read_index_settings
from .sources.plan import plan
from .sources.simple_index import Link, Wheel, find_wheel
from .sources.url import FilesAtUrls, urls
from .transfer.http import Client

_PATIENCE_SECONDS = 10.0
"""A question for one byte needs no longer; the settings may ask for less."""
_TOTAL = re.compile(r"bytes 0-0/([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Probe:
    """What one source said.

    Attributes:
        source: its kind: `mirror`, `github`, `huggingface` or `index`.
        place: where it is, without secrets.
        problem: why it could not deliver now; None if it could.
        asked: whether it was asked at all.
    """

    source: str
    place: str
    problem: str | None = None
    asked: bool = True


def probe(model: PinnedModel, settings: Settings) -> Iterator[Probe]:
    """Ask every remote source, and every mirror in a folder, in the order in which they would be asked for the model.

    Nothing is fetched but a byte of each. Sources that the settings forbid are not asked.
    """
    client = Client(min(settings.stall_seconds, _PATIENCE_SECONDS))
    try:
        for source in plan(model, settings):
            if source.remote and settings.offline:
                yield Probe(source.name, source.place, f"{settings.offline} is set", asked=False)
            elif source.name != "local":
                yield _ask(source, model, client)
    finally:
        client.close()


def _ask(source: Source, model: PinnedModel, client: Client) -> Probe:
    answer = Probe(source.name, source.place)
    try:
        match source:
            case AssetInFile():
                _ask_file(source, model)
            case AssetAtUrl():
                authorization = f"Bearer {source.token}" if source.token else None
                ask_byte(client, source.url, model.asset.size, authorization)
            case FilesAtUrls():
                for file in model.files:
                    _ask_any(urls(file), file.size, client)
            case WheelMembers():
                return _ask_indexes(answer, model, client)
            case _:
                return replace(
                    answer, problem="this release does not know how to ask it", asked=False
                )
    except SourceError as error:
        return replace(answer, problem=error.reason)
    return answer


def _ask_file(source: AssetInFile, model: PinnedModel) -> None:
    try:
        size = source.path.stat().st_size
    except OSError as error:
        raise SourceError(f"{source.path}: {error.strerror}") from error
    _compare(str(source.path), size, model.asset.size)


def ask_byte(
    client: Client, url: str, expected: int | None, authorization: str | None = None
) -> None:
    """Ask for the first byte of `url`.

    Raises:
        SourceError: if it does not answer, or has another size than the expected one.
    """
    with client.open(url, {"Range": "bytes=0-0"}, authorization=authorization) as answer:
        if match := _TOTAL.fullmatch(answer.header("Content-Range") or ""):
            size: int | None = int(match[1])
        else:
            announced = answer.header("Content-Length") or ""
            size = int(announced) if answer.status == 200 and announced.isdecimal() else None
    _compare(redact(url), size, expected)


def _compare(place: str, size: int | None, expected: int | None) -> None:
    if size is not None and expected is not None and size != expected:
        raise SourceError(f"{place}: has {size} bytes, expected {expected}")


def _ask_any(candidates: Sequence[str], size: int, client: Client) -> None:
    failure = None
    for url in candidates:
        try:
            ask_byte(client, url, size)
        except SourceError as error:
            failure = error
        else:
            return
    if failure:
        raise failure


def _ask_indexes(answer: Probe, model: PinnedModel, client: Client) -> Probe:
    """As pip is configured; the indexes are named, since the manifest only knows the wheels."""
    settings = read_index_settings()
    place = (
        f"{answer.place} at {', '.join(redact(index) for index in settings.indexes) or 'no index'}"
    )
    own = Client(client.stall_seconds, tuple(filter(None, [settings.authority])), settings.proxy)
    try:
        for wheel in dict.fromkeys(found.wheel for file in model.files for found in places(file)):
            _ask_wheel(wheel, settings.indexes, own)
    except SourceError as error:
        return replace(answer, place=place, problem=error.reason)
    finally:
        own.close()
    return replace(answer, place=place)


def _ask_wheel(wheel: Wheel, indexes: Sequence[str], client: Client) -> None:
    failures = []
    for index in indexes:
        try:
            _ask_link(find_wheel(index, wheel, client), index, client)
        except SourceError as error:
            failures.append(error.reason)
        else:
            return
    raise SourceError("; ".join(failures) or "no package index is configured")


def _ask_link(link: Link, index: str, client: Client) -> None:
    if link.local_path is None:
        ask_byte(client, link.url, None, credentials_for(index, link.url))
    elif not link.local_path.is_file():
        raise SourceError(f"{link.local_path}: no such file")
