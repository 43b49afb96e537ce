"""The host that has the bytes: it believes signatures, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import escape

from release.github_standin import blobs
from release.github_standin.files import StoredFile, file_response
from release.github_standin.messages import Request, Response
from release.github_standin.signing import SignatureRefused, Signer


class AssetHost:
    """Serves signed URLs with validators and ranges; errors are the XML of the storage behind the real one.

    Args:
        directory: has a file `<tag>/<asset>` for each asset.
        repository: `owner/name`.
        signer: shared with the web host.
        clock: gives the seconds since the epoch.
    """

    def __init__(
        self,
        directory: Path,
        *,
        repository: str,
        signer: Signer,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._directory = directory
        self._repository = repository
        self._signer = signer
        self._clock = clock

    def __call__(self, request: Request) -> Response:
        """Answer a request."""
        if "authorization" in request.headers:
            # Where a client takes its token along through the redirect, it meets this.
            return _error(
                400,
                "InvalidAuthenticationInfo",
                "Authentication information is not given in the correct format. "
                "Check the value of Authorization header.",
            )
        try:
            self._signer.check(request.raw_path, request.query, now=self._clock())
        except SignatureRefused as refusal:
            return _error(
                403, "AuthenticationFailed", f"Server failed to authenticate the request. {refusal}"
            )
        if request.method not in {"GET", "HEAD"}:
            return _error(
                405, "UnsupportedHttpVerb", "The resource doesn't support specified Http Verb."
            )
        # Only now: who has no signature does not learn what is there.
        path = blobs.find(self._directory, self._repository, request.raw_path)
        if path is None:
            return _error(404, "BlobNotFound", "The specified blob does not exist.")
        headers = {
            "Content-Type": request.query[blobs.CONTENT_TYPE],
            "Content-Disposition": request.query[blobs.DISPOSITION],
        }
        return file_response(request, StoredFile.at(path), headers=headers)


def _error(status: int, code: str, message: str) -> Response:
    text = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>'
    return Response.text(status, text, "application/xml", headers={"x-ms-error-code": code})
