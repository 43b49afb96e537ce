"""The host that users name: it knows repositories and releases, and redirects to where the bytes are."""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import unquote

from release.github_standin import blobs
from release.github_standin.files import find
from release.github_standin.messages import Application, Request, Response
from release.github_standin.signing import Signer

_DOWNLOAD = re.compile(
    r"/(?P<repository>[^/]+/[^/]+)/releases/download/(?P<tag>.+)/(?P<asset>[^/]+)"
)
_NOT_FOUND = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Page not found · GitHub</title></head>
<body><h1>404</h1><p>This is not the web page you are looking for.</p></body>
</html>
"""


class WebHost:
    """Answers `/<owner>/<repository>/releases/download/<tag>/<asset>` with a redirect to a signed URL.

    Everything else is a 404 with a page of HTML, also what a request may not see: GitHub doesn't tell that a private
    repository exists.

    Args:
        directory: has a file `<tag>/<asset>` for each asset.
        repository: `owner/name`; upper and lower case are the same.
        assets_url: where the other host is, without a slash at the end.
        signer: shared with the other host.
        url_lifetime: seconds for which a signed URL holds.
        token: makes the repository private: who asks has to send it.
        routes: what answers below other paths, by prefix; it may be added to.
        clock: gives the seconds since the epoch.
    """

    def __init__(
        self,
        directory: Path,
        *,
        repository: str,
        assets_url: str,
        signer: Signer,
        url_lifetime: float,
        routes: Mapping[str, Application],
        token: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._directory = directory
        self._repository = repository
        self._assets_url = assets_url
        self._signer = signer
        self._url_lifetime = url_lifetime
        self._token = token
        self._routes = routes
        self._clock = clock

    def __call__(self, request: Request) -> Response:
        """Answer a request."""
        for prefix, application in self._routes.items():
            if request.path.startswith(prefix):
                return application(request)
        wanted = _DOWNLOAD.fullmatch(request.raw_path)
        if wanted is None or request.method not in {"GET", "HEAD"} or not self._may_see(request):
            return _not_found()
        # GitHub does not tell names apart by case alone.
        if unquote(wanted["repository"]).lower() != self._repository.lower():
            return _not_found()
        file = find(self._directory, unquote(f"{wanted['tag']}/{wanted['asset']}"))
        if file is None:
            return _not_found()
        path = blobs.path_of(self._repository, file.path.relative_to(self._directory))
        query = self._signer.sign(
            path, blobs.parameters(file.path.name), expires=self._clock() + self._url_lifetime
        )
        headers = {"Location": f"{self._assets_url}{path}?{query}", "Cache-Control": "no-cache"}
        return Response.text(302, "", "text/html; charset=utf-8", headers=headers)

    def _may_see(self, request: Request) -> bool:
        if self._token is None:
            return True
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() in {"bearer", "token"} and hmac.compare_digest(
            credentials.strip().encode(), self._token.encode()
        )


def _not_found() -> Response:
    return Response.text(404, _NOT_FOUND, "text/html; charset=utf-8")
