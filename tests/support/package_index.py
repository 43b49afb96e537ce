"""A package index over a directory of wheels: the pages of PEP 503, which pip and uv install from."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from urllib.parse import quote

from packaging.utils import parse_wheel_filename

from release.github_standin.files import file_response, find
from release.github_standin.messages import Request, Response

_PROJECT = re.compile(r"/simple/(?P<project>[^/]+)/")
_WHEEL = re.compile(r"/packages/(?P<name>[^/]+\.whl)")


class PackageIndex:
    """The application: `/simple/<project>/` and the wheels below `/packages/`.

    Args:
        directory: of wheels; it may change meanwhile.
        credentials: `(user, password)` that basic authentication has to bring, for pages and wheels.
    """

    def __init__(self, directory: Path, *, credentials: tuple[str, str] | None = None) -> None:
        self._directory = directory
        self._authorization = (
            credentials and "Basic " + base64.b64encode(":".join(credentials).encode()).decode()
        )

    def __call__(self, request: Request) -> Response:
        if self._authorization not in {None, request.headers.get("authorization")}:
            headers = {"WWW-Authenticate": 'Basic realm="index"'}
            return Response.text(401, "credentials are needed\n", "text/plain", headers=headers)
        if wheel := _WHEEL.fullmatch(request.path):
            file = find(self._directory, wheel["name"])
            if file is not None:
                headers = {"Content-Type": "application/octet-stream"}
                return file_response(request, file, headers=headers)
        elif (asked := _PROJECT.fullmatch(request.path)) and (
            links := self._links(asked["project"])
        ):
            page = f"<!DOCTYPE html>\n<html><body>{links}</body></html>\n"
            return Response.text(200, page, "text/html")
        return Response.text(404, "not found\n", "text/plain")

    def _links(self, project: str) -> str:
        return "".join(
            f'<a href="/packages/{quote(wheel.name)}#sha256={_sha256(wheel)}">{wheel.name}</a><br>\n'
            for wheel in sorted(self._directory.glob("*.whl"))
            if parse_wheel_filename(wheel.name)[0] == project
        )


def _sha256(wheel: Path) -> str:
    with wheel.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
