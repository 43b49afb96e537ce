"""A package index's page of one project, as PEP 503 (HTML) and PEP 691 (JSON) have it. Nothing it says is trusted."""

from __future__ import annotations

import html.parser
import json
import netrc
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urldefrag, urljoin, urlsplit
from urllib.request import url2pathname

import urllib3

from ..errors import SourceError
from ..secrets import redact_url as redact
from ..transfer.http import Client, Origin, split_credentials

_ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
_LARGEST_PAGE = 64 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Wheel(NamedTuple):
    """A wheel in a release of a project: normalised project name and version."""

    project: str
    version: str

    @classmethod
    def of(cls, project: str, version: str) -> Wheel:
        """With the project's name normalised as PEP 503 says."""
        return cls(_normalised(project), version)


@dataclass(frozen=True, slots=True)
class Link:
    """A file that an index offers: its name, absolute URL and, if the index tells it, sha256."""

    filename: str
    url: str
    sha256: str | None

    @property
    def local_path(self) -> Path | None:
        """Where the file is, if it is one of this machine's."""
        return path_of(self.url) if self.url.startswith("file:") else None


def find_wheel(index: str, wheel: Wheel, client: Client) -> Link:
    """The wheel's link on the project's page of one index.

    Args:
        index: the index's URL without a trailing slash: http, https, or file for a folder in an index's form.

    Raises:
        SourceError: if the index can't be read or has no such wheel.
    """
    page = f"{index}/{wheel.project}/"
    for link in _links(page, client, index_authorization(index)):
        if _is_wheel_of(link.filename, wheel):
            if link.local_path is not None and not index.startswith("file:"):
                raise SourceError(
                    f"{redact(page)}: offers {wheel.project} as a file of this machine, which was refused"
                )
            return link
    raise SourceError(f"{redact(page)}: offers no wheel of {wheel.project} {wheel.version}")


def index_authorization(index: str) -> str | None:
    """What an index is asked with: the credentials in its URL, else those that `.netrc` has for its host, as pip does."""
    own = split_credentials(index)[1]
    if own or index.startswith("file:"):
        return own
    try:
        found = netrc.netrc().authenticators(Origin.of(index).host)
    except (OSError, netrc.NetrcParseError):
        return None
    return (
        urllib3.make_headers(basic_auth=f"{found[0]}:{found[2]}")["authorization"]
        if found
        else None
    )


def _links(page: str, client: Client, authorization: str | None) -> list[Link]:
    if page.startswith("file:"):
        path = path_of(page) / "index.html"
        try:
            return parse_html(path.read_text("utf-8"), path.as_uri())
        except (OSError, ValueError) as error:
            raise SourceError(f"{path}: can't be read: {error}") from error
    with client.open(page, {"Accept": _ACCEPT}, authorization=authorization) as answer:
        body = bytearray()
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
    """The links of a PEP 691 page; `base` is its URL."""
    return [
        Link(
            file["filename"],
            urljoin(base, file["url"]),
            _digest(file.get("hashes", {}).get("sha256", "")),
        )
        for file in json.loads(text)["files"]
    ]


def parse_html(text: str, base: str) -> list[Link]:
    """The links of a PEP 503 page; `base` is its URL."""
    parser = _Anchors()
    parser.feed(text)
    parser.close()
    links = []
    for href in parser.hrefs:
        url, fragment = urldefrag(urljoin(base, href))
        filename = unquote(urlsplit(url).path.rpartition("/")[2])
        links.append(Link(filename, url, _digest(fragment.removeprefix("sha256="))))
    return links


def path_of(url: str) -> Path:
    """The path of a file URL."""
    return Path(url2pathname(urlsplit(url).path))


class _Anchors(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.hrefs: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hrefs += [value for name, value in attrs if tag == "a" and name == "href" and value]


def _digest(text: str) -> str | None:
    return text if _SHA256.fullmatch(text) else None


def _is_wheel_of(filename: str, wheel: Wheel) -> bool:
    parts = filename.removesuffix(".whl").split("-")
    return filename.endswith(".whl") and len(parts) >= 5 and Wheel.of(parts[0], parts[1]) == wheel


def _normalised(project: str) -> str:
    return re.sub(r"[-_.]+", "-", project).lower()
