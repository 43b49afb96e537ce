"""`release push`: a release's assets as an artifact in an OCI registry, for users who have their mirror there.

What is pushed is what `oras push registry/repository:tag ASSET...` makes, without a time in it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlencode, urljoin, urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.manifest import Asset
from release.beside import attestation_name
from release.transfer import CONNECT_SECONDS, STALL_SECONDS, pool_for

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_EMPTY = "application/vnd.oci.empty.v1+json"
_ARTIFACT = "application/vnd.heimdall-models.release.v1"
_TITLE = "org.opencontainers.image.title"
_CONFIG = b"{}"
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
_SCHEMES = {"oci": "", "oci+http": "http", "oci+https": "https"}


def push(
    url: str,
    tag: str,
    wanted: Sequence[Asset],
    folder: Path,
    say: Callable[[str], None],
    *,
    beside: Sequence[Asset] = (),
) -> None:
    """Push the assets as the artifact of the tag, one layer for each, unless it is there already.

    Args:
        url: `oci://registry[:port]/repository`. A registry of this machine is asked by http, as other clients do;
            `oci+http://` says it of others. Credentials are those of `docker login`.
        tag: of the release; a `+` in it becomes `_`, since registries allow none.
        wanted: what the artifact has to have.
        folder: where these files are.
        say: receives a line about each step.
        beside: attestations of these files, pushed with them; those that are there already stay.

    Raises:
        ModelBuildError: if the tag names an artifact with other bytes, which is never replaced, or the registry refuses.
    """
    registry = _Registry.of(url, tag)
    pins = {asset.name: f"sha256:{asset.sha256}" for asset in wanted}
    there = registry.titles()
    if there is None:
        say(f"pushing {', '.join(pins)} to {registry.target}")
        registry.upload([*wanted, *beside], folder)
        there = registry.titles()
    else:
        say(f"{registry.target} is there already")
    attestations = set(map(attestation_name, wanted))
    there = {name: digest for name, digest in (there or {}).items() if name not in attestations}
    if there != pins:
        found = ", ".join(f"{name} ({digest})" for name, digest in there.items())
        expected = ", ".join(f"{name} ({digest})" for name, digest in pins.items())
        problem = (
            f"has {found or 'nothing'}, expected {expected}; a tag is never replaced: push to another repository, or "
            "remove it there if nobody wants it"
        )
        raise ModelBuildError(registry.target, [problem])
    say(f"{registry.target} has the pinned bytes")


@dataclass
class _Registry:
    """One tag of one repository.

    Attributes:
        target: it, as registry clients write it.
        api: the URL of the repository's API, with a slash at its end.
    """

    target: str
    api: str
    tag: str
    _authorization: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, url: str, tag: str) -> _Registry:
        parts = urlsplit(url)
        repository = parts.path.strip("/")
        if "@" in parts.netloc:
            problem = "has a user in it: keep the login with 'docker login' instead"
            raise ModelBuildError(f"oci://…@{parts.netloc.rpartition('@')[2]}", [problem])
        if parts.scheme not in _SCHEMES or not parts.netloc or not repository:
            raise ModelBuildError(url, ["expected oci://registry[:port]/repository"])
        scheme = _SCHEMES[parts.scheme] or ("http" if _is_here(parts.hostname) else "https")
        host = "registry-1.docker.io" if parts.netloc == "docker.io" else parts.netloc
        tag = tag.replace("+", "_")
        return cls(f"{parts.netloc}/{repository}:{tag}", f"{scheme}://{host}/v2/{repository}/", tag)

    def titles(self) -> dict[str, str] | None:
        """The digests of the artifact's layers by their titles; None if there is no such tag."""
        answer = self._ask("GET", f"manifests/{self.tag}", {"Accept": _MANIFEST}, also=404)
        if answer.status == 404:
            return None
        try:
            layers = json.loads(answer.data)["layers"]
            return {
                (layer.get("annotations") or {}).get(_TITLE, ""): layer["digest"]
                for layer in layers
            }
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelBuildError(self.target, ["is no artifact with files"]) from error

    def upload(self, assets: Sequence[Asset], folder: Path) -> None:
        """Upload the files, and name the artifact when all are there."""
        config = hashlib.sha256(_CONFIG).hexdigest()
        self._upload(config, len(_CONFIG), lambda: _CONFIG)
        layers = []
        for asset in assets:
            self._upload(asset.sha256, asset.size, partial(_opened, folder / asset.name))
            layer = _descriptor("application/octet-stream", asset.sha256, asset.size)
            layers.append({**layer, "annotations": {_TITLE: asset.name}})
        manifest = {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "artifactType": _ARTIFACT,
            "config": _descriptor(_EMPTY, config, len(_CONFIG)),
            "layers": layers,
        }
        body = json.dumps(manifest, sort_keys=True).encode()
        self._ask("PUT", f"manifests/{self.tag}", {"Content-Type": _MANIFEST}, lambda: body)

    def _upload(self, sha256: str, size: int, content: Callable[[], bytes | IO[bytes]]) -> None:
        """Upload a blob, which the registry hashes, unless it is there."""
        digest = f"sha256:{sha256}"
        if self._ask("HEAD", f"blobs/{digest}", also=404).status != 404:
            return
        place = self._ask("POST", "blobs/uploads/").headers.get("Location", "")
        url = urljoin(self.api, place)
        url += f"{'&' if '?' in url else '?'}{urlencode({'digest': digest})}"
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        self._ask("PUT", url, headers, content)

    def _ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        content: Callable[[], bytes | IO[bytes]] | None = None,
        *,
        also: int | None = None,
    ) -> urllib3.BaseHTTPResponse:
        """An answer of the registry with what it asks for; `also` is a status that is none of an error."""
        url = urljoin(self.api, path)
        answer = self._request(method, url, headers, content)
        if answer.status == 401:
            self._authorization = self._answer(answer.headers.get("WWW-Authenticate", ""))
            answer = self._request(method, url, headers, content)
        if answer.status in {401, 403}:
            host = self.target.partition("/")[0]
            problem = f"{host} answered {answer.status}: 'docker login {host}' keeps a login that may push"
            raise ModelBuildError(self.target, [problem])
        if answer.status >= 300 and answer.status != also:
            told = f"{url.partition('?')[0]} answered {answer.status} {answer.reason}"
            raise ModelBuildError(self.target, [f"{told}: is it an OCI registry?"])
        return answer

    def _request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        content: Callable[[], bytes | IO[bytes]] | None = None,
    ) -> urllib3.BaseHTTPResponse:
        send = {**(headers or {})}
        # An upload may go to another host, whose URL is signed.
        if self._authorization and urlsplit(url).netloc == urlsplit(self.api).netloc:
            send["Authorization"] = self._authorization
        body = content() if content else None
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=STALL_SECONDS)
        try:
            with pool_for(url) as pool:
                return pool.request(
                    method, url, body=body, headers=send, retries=False, timeout=timeout
                )
        except (HTTPError, OSError) as error:
            problem = f"{url.partition('?')[0]} could not be reached ({error})"
            raise ModelBuildError(self.target, [problem]) from error
        finally:
            if body is not None and not isinstance(body, bytes):
                body.close()

    def _answer(self, challenge: str) -> str | None:
        """The value of the `Authorization` header that a challenge asks for; None if there is none."""
        basic = _kept_login(urlsplit(self.api).netloc)
        scheme, _, rest = challenge.partition(" ")
        if scheme.lower() != "bearer":
            return basic
        asked = dict(_PARAMETER.findall(rest))
        realm = asked.pop("realm", "")
        if urlsplit(realm).scheme not in {"https", urlsplit(self.api).scheme}:
            return None
        repository = self.api.partition("/v2/")[2].rstrip("/")
        asked["scope"] = f"repository:{repository}:pull,push"
        self._authorization = None
        headers = {"Authorization": basic} if basic else {}
        answer = self._request("GET", f"{realm}?{urlencode(asked)}", headers)
        with suppress(ValueError, AttributeError):
            document = json.loads(answer.data)
            if token := document.get("token") or document.get("access_token"):
                return f"Bearer {token}"
        return None


def _kept_login(host: str) -> str | None:
    """What `docker login` keeps for a registry in its file, as a header's value."""
    folder = os.environ.get("DOCKER_CONFIG")
    path = Path(folder) if folder else Path.home() / ".docker"
    try:
        auths = json.loads((path / "config.json").read_text("utf-8")).get("auths") or {}
    except (OSError, ValueError, AttributeError):
        return None
    known_as = "index.docker.io" if host == "registry-1.docker.io" else host
    for key, entry in auths.items():
        if re.sub("^https?://|/v[12]/?$", "", key) == known_as and entry.get("auth"):
            return f"Basic {entry['auth']}"
    return None


def _opened(path: Path) -> IO[bytes]:
    return path.open("rb")


def _descriptor(media_type: str, sha256: str, size: int) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": f"sha256:{sha256}", "size": size}


def _is_here(host: str | None) -> bool:
    with suppress(ValueError):
        return ip_address(host or "").is_loopback
    return host == "localhost"
