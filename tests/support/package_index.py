"""A package index over a directory of wheels: PEP 503 pages and PEP 691 JSON, chosen by what the client accepts."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from packaging.utils import canonicalize_name, parse_wheel_filename

from release.github_standin.files import file_response, find
from release.github_standin.messages import Request, Response

HTML = "text/html"
HTML_V1 = "application/vnd.pypi.simple.v1+html"
JSON_V1 = "application/vnd.pypi.simple.v1+json"
_PROJECT = re.compile(r"/simple/(?P<project>[^/]+)(?P<slash>/?)")
_WHEEL = re.compile(r"/packages/(?P<name>[^/]+\.whl)")


class PackageIndex:
    """The application: `/simple/`, `/simple/<project>/` and the wheels below `/packages/`.

    Args:
        directory: of wheels; it may change meanwhile.
        credentials: `(user, password)` that basic authentication has to bring, for pages and wheels.
        ranges: whether parts of a wheel can be had.
    """

    def __init__(
        self, directory: Path, *, credentials: tuple[str, str] | None = None, ranges: bool = True
    ) -> None:
        self._directory = directory
        self._authorization = (
            credentials and "Basic " + base64.b64encode(":".join(credentials).encode()).decode()
        )
        self._ranges = ranges

    def __call__(self, request: Request) -> Response:
        if (
            self._authorization is not None
            and request.headers.get("authorization") != self._authorization
        ):
            headers = {"WWW-Authenticate": 'Basic realm="index"'}
            return Response.text(401, "credentials are needed\n", "text/plain", headers=headers)
        if wheel := _WHEEL.fullmatch(request.path):
            file = find(self._directory, wheel["name"])
            if file is not None:
                headers = {"Content-Type": "application/octet-stream"}
                return file_response(request, file, headers=headers, ranges=self._ranges)
        elif request.path == "/simple/":
            return _root_page(request, sorted({_project_of(wheel) for wheel in self._wheels()}))
        elif project := _PROJECT.fullmatch(request.path):
            return self._project_page(request, project["project"], project["slash"])
        return Response.text(404, "not found\n", "text/plain")

    def _project_page(self, request: Request, project: str, slash: str) -> Response:
        canonical = canonicalize_name(project)
        if project != canonical or not slash:
            return Response(301, {"Location": f"/simple/{canonical}/"})
        wheels = [wheel for wheel in self._wheels() if _project_of(wheel) == canonical]
        if not wheels:
            return Response.text(404, "no such project\n", "text/plain")
        digests = {wheel.name: _sha256(wheel) for wheel in wheels}
        page = _page(
            (f"/packages/{quote(name)}#sha256={digest}", name) for name, digest in digests.items()
        )
        files = [
            {"filename": name, "url": f"/packages/{quote(name)}", "hashes": {"sha256": digest}}
            for name, digest in digests.items()
        ]
        return _negotiated(request, page, {"name": canonical, "files": files})

    def _wheels(self) -> list[Path]:
        return sorted(self._directory.glob("*.whl"))


def negotiate(accept: str | None) -> str | None:
    """The media type, of the index's three, that an `Accept` header likes best; None if it likes none.

    Among equals JSON comes before HTML, as on PyPI; without a header it is plain HTML.
    """
    if accept is None:
        return HTML
    liking = dict.fromkeys((JSON_V1, HTML_V1, HTML), 0.0)
    wildcard = 0.0
    for item in accept.split(","):
        media_type, *parameters = (part.strip() for part in item.lower().split(";"))
        quality = next(
            (float(p[2:]) for p in parameters if re.fullmatch(r"q=[01](\.\d{0,3})?", p)), 1.0
        )
        if media_type == "*/*":
            wildcard = quality
        elif media_type in liking:
            liking[media_type] = quality
    best = max(liking, key=liking.__getitem__)
    if liking[best] > 0:
        return best
    return HTML if wildcard > 0 else None


def _negotiated(request: Request, page: str, document: dict[str, object]) -> Response:
    media_type = negotiate(request.headers.get("accept"))
    if media_type is None:
        return Response.text(406, f"there is {JSON_V1}, {HTML_V1} and {HTML}\n", "text/plain")
    content = (
        json.dumps({"meta": {"api-version": "1.0"}, **document}) if media_type == JSON_V1 else page
    )
    return Response.text(200, content, media_type, headers={"Vary": "Accept"})


def _root_page(request: Request, projects: list[str]) -> Response:
    page = _page((f"/simple/{project}/", project) for project in projects)
    return _negotiated(request, page, {"projects": [{"name": project} for project in projects]})


def _page(links: Iterable[tuple[str, str]]) -> str:
    anchors = "".join(
        f'<a href="{html.escape(href)}">{html.escape(text)}</a><br>\n' for href, text in links
    )
    head = '<head><meta name="pypi:repository-version" content="1.0"><title>Links</title></head>'
    return f"<!DOCTYPE html>\n<html>{head}<body>\n{anchors}</body></html>\n"


def _project_of(wheel: Path) -> str:
    return parse_wheel_filename(wheel.name)[0]


def _sha256(wheel: Path) -> str:
    with wheel.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
