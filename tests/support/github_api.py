"""GitHub's API as far as `gh release` and `gh api` need it: REST below `/api/v3`, uploads, one GraphQL query.

This is what the real gh asks, seen by listening to it: `view`, `upload`, `download`, `edit` and `delete-asset` look a
release up by its tag twice, by REST (published ones) and by GraphQL (drafts too), and go on by its number.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from release.github_standin.files import StoredFile, file_response
from release.github_standin.messages import Request, Response
from tests.support.github_releases import UPLOADED, Refused, Release, ReleaseAsset, Releases

_REST = "/api/v3"
_UPLOADS = "/api/uploads"
_GRAPHQL = "/api/graphql"
_MADE = "2026-01-01T00:00:00Z"


class Api:
    """Answers requests below `/api/`, all of which need the token.

    Args:
        releases: what it is about.
        repository: `owner/name`.
        token: of someone who may write to the repository.
        url: of the host that this is on, without a slash at the end.
    """

    def __init__(self, releases: Releases, *, repository: str, token: str, url: str) -> None:
        self._releases = releases
        self._repository = repository
        self._token = token
        self._home = f"/repos/{repository}"
        self._url = url
        home = re.escape(self._home)
        self._routes: list[tuple[str, re.Pattern[str], Callable[..., Response]]] = [
            ("GET", re.compile(rf"{_REST}{home}/releases"), self._list),
            ("POST", re.compile(rf"{_REST}{home}/releases"), self._create),
            ("GET", re.compile(rf"{_REST}{home}/releases/(\d+)"), self._get),
            ("PATCH", re.compile(rf"{_REST}{home}/releases/(\d+)"), self._edit),
            ("GET", re.compile(rf"{_REST}{home}/releases/tags/(.+)"), self._get_by_tag),
            ("POST", re.compile(rf"{_UPLOADS}{home}/releases/(\d+)/assets"), self._upload),
            ("GET", re.compile(rf"{_REST}{home}/releases/assets/(\d+)"), self._asset),
            ("DELETE", re.compile(rf"{_REST}{home}/releases/assets/(\d+)"), self._delete_asset),
            ("GET", re.compile(rf"{_REST}{home}/commits/(.+)"), self._commit),
            ("POST", re.compile(_GRAPHQL), self._graphql),
        ]

    def __call__(self, request: Request) -> Response:
        """Answer a request."""
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() not in {"bearer", "token"} or not hmac.compare_digest(
            credentials.strip().encode(), self._token.encode()
        ):
            return _json(401, {"message": "Bad credentials"})
        if not _is_whole(request) and not request.path.startswith(_UPLOADS):
            return _json(400, {"message": "Problems parsing JSON"})
        for method, path, answer in self._routes:
            if method == request.method and (match := path.fullmatch(request.path)):
                try:
                    with self._releases.alone():
                        return answer(request, *match.groups())
                except Refused as refusal:
                    errors = [{"resource": "Release", "code": refusal.code}] if refusal.code else []
                    return _json(refusal.status, {"message": str(refusal), "errors": errors})
        return _json(404, {"message": "Not Found"})

    def _list(self, request: Request) -> Response:  # noqa: ARG002 - every route gets it
        return _json(200, [self._document(release) for release in self._releases.all()])

    def _create(self, request: Request) -> Response:
        wanted = json.loads(request.body)
        release = self._releases.create(
            tag=wanted["tag_name"],
            name=wanted.get("name", ""),
            notes=wanted.get("body", ""),
            target=wanted.get("target_commitish", "main"),
            draft=wanted.get("draft", False),
        )
        return _json(201, self._document(release))

    def _get(self, request: Request, number: str) -> Response:  # noqa: ARG002
        return _json(200, self._document(self._releases.get(int(number))))

    def _get_by_tag(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        for release in self._releases.all():
            if release.tag == tag and not release.draft:
                return _json(200, self._document(release))
        raise Refused(404, "Not Found")

    def _edit(self, request: Request, number: str) -> Response:
        release = self._releases.get(int(number))
        wanted = json.loads(request.body)
        release.name = wanted.get("name", release.name)
        release.notes = wanted.get("body", release.notes)
        release.target = wanted.get("target_commitish", release.target)
        if wanted.get("draft") is False:
            self._releases.publish(release)
        return _json(200, self._document(release))

    def _upload(self, request: Request, number: str) -> Response:
        release = self._releases.get(int(number))
        asset = self._releases.add_asset(
            release, request.query["name"], request.body, whole=_is_whole(request)
        )
        return _json(201, self._asset_document(asset))

    def _asset(self, request: Request, number: str) -> Response:
        release, asset = self._releases.asset(int(number))
        if request.headers.get("accept") != "application/octet-stream":
            return _json(200, self._asset_document(asset))
        if asset.state != UPLOADED:
            raise Refused(404, "Not Found")
        # The real one may redirect instead. A gh as old as Debian 12's would take GH_ENTERPRISE_TOKEN along to the other
        # host, which refuses it; later ones do not.
        headers = {"Content-Type": "application/octet-stream"}
        return file_response(
            request, StoredFile.at(self._releases.file(release, asset)), headers=headers
        )

    def _delete_asset(self, request: Request, number: str) -> Response:  # noqa: ARG002
        self._releases.delete_asset(int(number))
        return Response(204)

    def _commit(self, request: Request, name: str) -> Response:  # noqa: ARG002
        if name not in self._releases.tags:
            raise Refused(422, f"No commit found for SHA: {name}")
        return _json(200, {"sha": self._releases.tags[name]})

    def _graphql(self, request: Request) -> Response:
        asked = json.loads(request.body)
        if "release(tagName: $tagName){databaseId,isDraft}" not in asked["query"]:
            return _json(200, {"errors": [{"message": "the stand-in does not know this query"}]})
        tag = asked["variables"]["tagName"]
        found = [release for release in self._releases.all() if release.tag == tag]
        answer = {"databaseId": found[0].number, "isDraft": found[0].draft} if found else None
        return _json(200, {"data": {"repository": {"release": answer}}})

    def _document(self, release: Release) -> Mapping[str, Any]:
        page = f"untagged-{release.number:020x}" if release.draft else release.tag
        return {
            "url": f"{self._url}{_REST}{self._home}/releases/{release.number}",
            "html_url": f"{self._url}/{self._repository}/releases/tag/{page}",
            "upload_url": f"{self._url}{_UPLOADS}{self._home}/releases/{release.number}/assets{{?name,label}}",
            "id": release.number,
            "node_id": f"RE_{release.number}",
            "author": {"login": "maintainer"},
            "tag_name": release.tag,
            "target_commitish": release.target,
            "name": release.name,
            "body": release.notes,
            "draft": release.draft,
            "prerelease": release.prerelease,
            "immutable": release.immutable,
            "created_at": _MADE,
            "published_at": None if release.draft else _MADE,
            "assets": [self._asset_document(asset) for asset in release.assets.values()],
        }

    def _asset_document(self, asset: ReleaseAsset) -> Mapping[str, Any]:
        return {
            "url": f"{self._url}{_REST}{self._home}/releases/assets/{asset.number}",
            "id": asset.number,
            "node_id": f"RA_{asset.number}",
            "name": asset.name,
            "label": "",
            "state": asset.state,
            "size": asset.size,
            "digest": f"sha256:{asset.sha256}" if asset.state == UPLOADED else None,
            "content_type": "application/octet-stream",
            "download_count": 0,
            "created_at": _MADE,
            "updated_at": _MADE,
        }


def _json(status: int, document: object) -> Response:
    return Response.text(status, json.dumps(document), "application/json; charset=utf-8")


def _is_whole(request: Request) -> bool:
    """Whether all of the body came."""
    return len(request.body) == int(request.headers.get("content-length", "0"))
