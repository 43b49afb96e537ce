"""One repository as Hugging Face serves it to its own clients, on loopback."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from release.github_standin.listener import Listener
from release.github_standin.messages import Request, Response, bytes_body

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@contextmanager
def hub(repository: str, files: Mapping[str, bytes]) -> Iterator[str]:
    """Serve the files; yields what `HF_ENDPOINT` has to be."""
    described = {
        "id": repository,
        "modelId": repository,
        "sha": COMMIT,
        "private": False,
        "tags": [],
        "downloads": 0,
        "siblings": [{"rfilename": path} for path in files],
    }

    def application(request: Request) -> Response:
        path = request.path
        if path.startswith(f"/api/models/{repository}/tree/"):
            return _json([_entry(name, content) for name, content in files.items()])
        if path.startswith(f"/api/models/{repository}"):
            return _json(described)
        prefix, _, rest = path.partition("/resolve/")
        content = files.get(rest.partition("/")[2])
        if prefix != f"/{repository}" or content is None:
            code = "EntryNotFound" if prefix == f"/{repository}" else "RepoNotFound"
            missing = Response.text(404, "not found\n", "text/plain")
            return replace(
                missing, headers={**missing.headers, "X-Error-Code": code, "X-Repo-Commit": COMMIT}
            )
        etag = f'"{hashlib.sha256(content).hexdigest()}"'
        return Response(200, {"ETag": etag, "X-Repo-Commit": COMMIT}, bytes_body(content))

    with Listener("hub", application) as listener:
        yield listener.url


def _json(document: object) -> Response:
    return Response.text(200, json.dumps(document), "application/json")


def _entry(path: str, content: bytes) -> dict[str, object]:
    return {
        "type": "file",
        "path": path,
        "size": len(content),
        "oid": hashlib.sha1(content).hexdigest(),  # noqa: S324
    }
