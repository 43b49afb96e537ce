"""OCI registries as mirrors, on a real one; what it does not do, on servers of the tests' own."""

from __future__ import annotations

import base64
import contextlib
import json
import os
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from hatch_heimdall_models.manifest import Asset
from heimdall.models.errors import ModelUnavailable, SourceError
from heimdall.models.manifest import read_model
from heimdall.models.resolver import resolve_in_detail
from heimdall.models.settings import Settings, SettingsError
from heimdall.models.sources.logins import registry_login
from heimdall.models.sources.mirror import mirror
from heimdall.models.sources.registry import registry_url
from heimdall.models.transfer.http import Client
from release.github_standin.listener import Listener
from release.github_standin.log import RequestLog
from release.github_standin.messages import Request, Response
from release.registry import push
from tests.support.docker_registry import PASSWORD, USER, Registry, docker_registry
from tests.support.servers import plain_mirror
from tests.support.small_model import SmallModel

pytestmark = pytest.mark.slow

BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


@pytest.fixture(autouse=True)
def _mirror_only(manifest_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEIMDALL_SOURCES", "mirror")
    for name in ("NETRC", "DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)


def logged_in(host: str, home: Path) -> None:
    """As `docker login` does."""
    auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    (home / ".docker").mkdir(exist_ok=True)
    (home / ".docker" / "config.json").write_text(json.dumps({"auths": {host: {"auth": auth}}}))


def pushed(small: SmallModel, registry: Registry, repository: str) -> Asset:
    asset = small.manifest.models[0].asset
    url = f"oci://{registry.host}/{repository}"
    push(url, small.tag, [asset], small.directory / small.tag, lambda _: None)
    return asset


@pytest.mark.parametrize("repository", ["models", "models/owner/repository"])
def test_the_artifact_of_the_tag(
    small: SmallModel, monkeypatch: pytest.MonkeyPatch, repository: str
) -> None:
    with docker_registry() as registry:
        asset = pushed(small, registry, repository)
        before = len(registry.requests)
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", f"oci://{registry.host}/models")
        resolution = resolve_in_detail()
    small.assert_tree(resolution.directory)
    assert resolution.sources == ("mirror",)
    asked = registry.pulls[before:]
    missed = [("models/owner/repository/manifests/v1", 404)] if repository == "models" else []
    assert asked[-2 - len(missed) :] == [
        *missed,
        (f"{repository}/manifests/v1", 200),
        (f"{repository}/blobs/sha256:{asset.sha256}", 200),
    ]


def test_single_files_are_taken_by_their_bytes(
    small: SmallModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As somebody pushes what lies in a folder, without the asset."""
    folder = tmp_path / "flat"
    folder.mkdir()
    assets = []
    for path in ("model.safetensors", "tokenizer/tokenizer.json"):
        file = folder / path.rpartition("/")[2]
        file.write_bytes(small.files[path])
        assets.append(Asset.of_file("v1", file))
    with docker_registry() as registry:
        push(f"oci://{registry.host}/models", "v1", assets, folder, lambda _: None)
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", f"oci://{registry.host}/models")
        small.assert_tree(resolve_in_detail().directory)
    blobs = [path for path, status in registry.pulls if "/blobs/" in path and status == 200]
    assert blobs == [f"models/blobs/sha256:{asset.sha256}" for asset in assets]


def test_an_attestation_is_one_more_layer(
    small: SmallModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = small.asset_path
    beside = path.with_name(f"{path.name}.sigstore.json")
    beside.write_bytes(b"attested")
    asset = Asset.of_file("v1", path)
    with docker_registry() as registry, contextlib.closing(Client()) as client:
        url = f"oci://{registry.host}/models"
        push(url, "v1", [asset], path.parent, lambda _: None, beside=[Asset.of_file("v1", beside)])
        push(url, "v1", [asset], path.parent, lambda _: None)
        model = read_model()
        source = mirror(url, model, Settings())
        assert source.beside(model.assets[0], ".sigstore.json", client) == b"attested"
        with pytest.raises(SourceError, match=r"lacks models-v1\.zip\.other") as caught:
            source.beside(model.assets[0], ".other", client)
        assert caught.value.absent


def test_a_broken_download_goes_on(
    small: SmallModel, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = small.asset_path.read_bytes()
    parts = models_dir / ".store" / "partial"
    parts.mkdir(parents=True)
    with docker_registry() as registry:
        asset = pushed(small, registry, "models")
        (parts / f"{asset.sha256}.free-0.part").write_bytes(content[:100_000])
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", f"oci://{registry.host}/models")
        small.assert_tree(resolve_in_detail().directory)
    assert registry.requests[-1][2:] == (206, len(content) - 100_000)


@pytest.mark.parametrize("kept", ["docker", "netrc", "url", "header", "helper"])
def test_a_login_is_taken_from_where_it_is_kept(
    small: SmallModel, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: str
) -> None:
    with docker_registry(password=True) as registry:
        logged_in(registry.host, home)
        pushed(small, registry, "models")
        user = ""
        if kept != "docker":
            (home / ".docker" / "config.json").unlink()
        if kept == "netrc":
            (home / ".netrc").write_text(f"machine 127.0.0.1 login {USER} password {PASSWORD}\n")
            (home / ".netrc").chmod(0o600)
        elif kept == "header":
            monkeypatch.setenv("HEIMDALL_MIRROR_HEADER", f"Authorization: {BASIC}")
        elif kept == "url":
            user = f"{USER}:{PASSWORD}@"
        elif kept == "helper":
            helper = tmp_path / "bin" / "docker-credential-kept"
            helper.parent.mkdir()
            answer = json.dumps({"Username": USER, "Secret": PASSWORD})
            helper.write_text(f"#!/bin/sh\n[ $(cat) = {registry.host} ] && echo '{answer}'\n")
            helper.chmod(0o755)
            monkeypatch.setenv("PATH", f"{helper.parent}{os.pathsep}{os.environ['PATH']}")
            (home / ".docker" / "config.json").write_text('{"credsStore": "kept"}')
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", f"oci://{user}{registry.host}/models")
        small.assert_tree(resolve_in_detail().directory)


def refused(monkeypatch: pytest.MonkeyPatch, prefix: str) -> str:
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", prefix)
    with pytest.raises(ModelUnavailable) as caught:
        resolve_in_detail()
    assert PASSWORD not in str(caught.value)
    return str(caught.value)


def test_what_is_wrong_is_said(
    small: SmallModel, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with docker_registry(password=True) as registry:
        prefix = f"oci://{registry.host}/models"
        told = refused(monkeypatch, prefix)
        assert f"401 Unauthorized: {registry.host} wants a login: 'docker login" in told
        wrong = f"oci://{USER}:{PASSWORD}x@{registry.host}/models"
        assert "refuses the login of the mirror's URL" in refused(monkeypatch, wrong)
        logged_in(registry.host, home)
        told = refused(monkeypatch, prefix)
        assert "/models/owner/repository/manifests/v1: answered 404" in told
        assert "/v2/models/manifests/v1: answered 404" in told
        other = tmp_path / small.asset_path.name
        other.write_bytes(b"other bytes")
        push(prefix, "v1", [Asset.of_file("v1", other)], tmp_path, lambda _: None)
        told = refused(monkeypatch, prefix)
        assert f"{registry.host}/models:v1: has other bytes as {other.name}" in told
        (home / ".docker" / "config.json").write_text("{")
        told = refused(monkeypatch, prefix)
        assert "config.json has no credentials that can be read (it is no JSON)" in told


def test_what_is_no_registry_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "v2" / "models" / "manifests" / "v1"
    page.parent.mkdir(parents=True)
    page.write_text("<html>")
    with plain_mirror(tmp_path) as server:
        told = refused(monkeypatch, server.url.replace("http:", "oci:") + "/models")
        assert "application/octet-stream: it is no OCI registry" in told


def test_a_token_is_fetched_and_blobs_of_another_host_do_not_see_it(
    small: SmallModel, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Token authentication, and blobs behind a redirect, as hosted registries have them."""
    asset = small.manifest.models[0].asset
    layer = {"digest": f"sha256:{asset.sha256}", "size": asset.size}
    scopes = []

    def registry(request: Request) -> Response:
        here = f"http://{request.headers['host']}"
        if request.path == "/token":
            assert request.headers.get("authorization") == BASIC
            scopes.append(request.query["scope"])
            return Response.text(200, '{"token": "t0ken"}', "application/json")
        if request.headers.get("authorization") != "Bearer t0ken":
            challenge = f'Bearer realm="{here}/token",service="r",scope="repository:models:pull"'
            return Response(401, {"WWW-Authenticate": challenge})
        if request.path == "/v2/models/manifests/v1":
            return Response.text(200, json.dumps({"layers": [layer]}), "application/json")
        if "/blobs/" in request.path:
            place = f"{storage.url}/{small.tag}/{asset.name}?signature=1"
            return Response(307, {"Location": place})
        return Response.text(404, "{}", "application/json")

    with (
        plain_mirror(small.directory) as storage,
        Listener("registry", registry, log=RequestLog(None)) as server,
    ):
        host = server.url.partition("://")[2]
        logged_in(f"https://{host}/v1/", home)
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", f"oci://{host}/models")
        small.assert_tree(resolve_in_detail().directory)
        (blob,) = storage.requests.settled()
        assert (blob.status, blob.authorized) == (200, False)
    assert scopes[-1] == "repository:models:pull"


def test_the_doctor_can_ask_it(small: SmallModel) -> None:
    with docker_registry() as registry:
        settings = Settings(mirrors=(f"oci://{registry.host}/models",))
        source = mirror(settings.mirrors[0], read_model(), settings)
        with pytest.raises(SourceError, match="answered 404"):
            source.probe(read_model(), Client())
        pushed(small, registry, "models")
        source.probe(read_model(), Client())


@pytest.mark.parametrize(
    ("prefix", "url"),
    [
        ("oci://registry.example/a", "https://registry.example"),
        ("oci://registry.example:5000/a", "https://registry.example:5000"),
        ("oci://localhost:5000/a", "http://localhost:5000"),
        ("oci://127.0.0.9/a", "http://127.0.0.9"),
        ("oci://[::1]:5000/a", "http://[::1]:5000"),
        ("oci+http://registry.example/a", "http://registry.example"),
        ("oci+https://localhost/a", "https://localhost"),
        ("oci://docker.io/me/a", "https://registry-1.docker.io"),
    ],
)
def test_how_a_registry_is_asked(prefix: str, url: str) -> None:
    assert registry_url(prefix) == url


def test_the_nearest_entry_counts(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def auth(user: str) -> dict[str, str]:
        return {"auth": base64.b64encode(f"{user}:secret".encode()).decode()}

    file = tmp_path / "auth.json"
    file.write_text(
        json.dumps(
            {
                "auths": {
                    "r.example": auth("all"),
                    "r.example/team": auth("team"),
                    "https://index.docker.io/v1/": {"identitytoken": "refresh"},
                }
            }
        )
    )
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(file))

    def user(repository: str) -> str:
        login = registry_login("r.example", repository, 1)
        assert login
        assert login.basic
        return base64.b64decode(login.basic.partition(" ")[2]).decode().partition(":")[0]

    assert (user("team/model"), user("teams/model")) == ("team", "all")
    hub = registry_login("index.docker.io", "me/model", 1)
    assert hub
    assert hub.identity_token == "refresh"
    assert registry_login("other.example", "team/model", 1) is None


def test_an_identity_token_is_exchanged(
    small: SmallModel, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As clouds' own login commands keep one; and the registry wants it again for each of its blobs."""
    asset = small.manifest.models[0].asset
    layer = {"digest": f"sha256:{asset.sha256}"}
    forms = []

    def registry(request: Request) -> Response:
        if request.path == "/oauth2/token":
            forms.append(dict(parse_qsl(request.body.decode())))
            return Response.text(200, '{"access_token": "t0ken"}', "application/json")
        if request.headers.get("authorization") != "Bearer t0ken":
            realm = f"http://{request.headers['host']}/oauth2/token"
            return Response(401, {"WWW-Authenticate": f'Bearer realm="{realm}",service="r"'})
        if request.path.endswith("/models/manifests/v1"):
            return Response.text(200, json.dumps({"layers": [layer]}), "application/json")
        if "/blobs/" in request.path:
            return Response.text(200, "not these bytes", "application/octet-stream")
        return Response.text(404, "{}", "application/json")

    with Listener("registry", registry, log=RequestLog(None)) as server:
        host = server.url.partition("://")[2]
        (home / ".docker").mkdir()
        (home / ".docker" / "config.json").write_text(
            json.dumps({"auths": {host: {"identitytoken": PASSWORD}}})
        )
        told = refused(monkeypatch, f"oci://{host}/models")
    assert "expected" in told
    assert forms[-1] == {
        "grant_type": "refresh_token",
        "refresh_token": PASSWORD,
        "scope": "repository:models:pull",
        "service": "r",
        "client_id": "heimdall",
    }


@pytest.mark.parametrize(
    "prefix", ["oci://r.example/Models", "oci://r.example/models?x=y", "oci:///models"]
)
def test_what_can_not_be_a_registry_is_refused_at_once(prefix: str) -> None:
    with pytest.raises(SettingsError, match="HEIMDALL_MODELS_MIRROR"):
        Settings.from_environment({"HEIMDALL_MODELS_MIRROR": prefix})
