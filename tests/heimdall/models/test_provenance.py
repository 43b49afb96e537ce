"""Attestations, checked by sigstore's real library: with keys and attestations of the tests' own, as its cache has them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from heimdall.models import provenance
from heimdall.models.__main__ import main
from heimdall.models.manifest import PinnedAsset
from heimdall.models.settings import Settings
from tests.support.raw_server import raw_server
from tests.support.servers import github, plain_mirror
from tests.support.sigstore_instance import SigstoreInstance
from tests.support.small_model import SmallModel

WORKFLOW = "https://github.com/owner/repository/.github/workflows/release.yml@refs/tags/v1"
ABOUT_OTHER_BYTES = "ab" * 32
VERIFY = ["verify", "--provenance", "--json"]


@pytest.fixture(scope="module")
def sigstore() -> SigstoreInstance:
    return SigstoreInstance()


@pytest.fixture
def keys(sigstore: SigstoreInstance, home: Path) -> Path:
    """Where sigstore's library keeps those that it trusts."""
    path = sigstore.trust()
    assert path.is_relative_to(home)
    return path


@pytest.fixture(autouse=True)
def model(
    small: SmallModel,
    keys: Path,
    manifest_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It is here, and nobody has an attestation of it."""
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", small.mirror)
    monkeypatch.setenv("HEIMDALL_PROGRESS", "0")
    monkeypatch.setenv("HEIMDALL_OFFLINE", "1")
    assert main(["pull"]) == 0
    capsys.readouterr()


@pytest.fixture
def digest(small: SmallModel) -> str:
    return small.manifest.models[0].asset.sha256


def published(small: SmallModel) -> Path:
    return small.asset_path.with_name(f"{small.asset_path.name}.sigstore.json")


def outcome(capsys: pytest.CaptureFixture[str], *more: str, code: int) -> dict[str, str]:
    """What `verify` says of the model's only asset."""
    assert main([*VERIFY, *more]) == code
    printed = capsys.readouterr()
    assert printed.err == ""
    document = json.loads(printed.out)
    assert document["sound"] is True
    (asset,) = document["provenance"]
    return dict(asset)


def test_what_is_published_beside_an_asset_is_checked(
    small: SmallModel, sigstore: SigstoreInstance, digest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    published(small).write_bytes(sigstore.attest(ABOUT_OTHER_BYTES, digest))
    assert outcome(capsys, code=0) == {
        "asset": "v1/models-v1.zip",
        "state": "ok",
        "signer": WORKFLOW,
        "origin": str(small.directory),
        "detail": "",
    }
    assert main(["verify", "--provenance"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2:] == [
        f"ok         v1/models-v1.zip  made by {WORKFLOW}",
        "its attestation holds",
    ]


@pytest.mark.parametrize(
    ("claims", "told"),
    [
        ({"repository": "mallory/repository"}, "was signed by https://github.com/mallory/"),
        (
            {"tag": "v2"},
            "@refs/tags/v2, expected a workflow of https://github.com/owner/repository",
        ),
        ({"workflow": "release.yml"}, "expected a workflow of"),
        # Anybody may call a workflow that is made to be called.
        ({"run_in": "mallory/repository"}, "got https://github.com/mallory/repository"),
        ({"issuer": "https://mallory.example"}, "got https://mallory.example"),
        ({"predicate": "https://in-toto.io/attestation/vulns"}, "expected https://slsa.dev/"),
    ],
    ids=["repository", "tag", "no workflow", "called by another", "issuer", "no provenance"],
)
def test_what_another_one_signed_is_refused(
    small: SmallModel,
    sigstore: SigstoreInstance,
    digest: str,
    claims: dict[str, str],
    told: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    published(small).write_bytes(sigstore.attest(digest, **claims))
    asset = outcome(capsys, code=1)
    assert (asset["state"], asset["signer"]) == ("different", "")
    assert told in asset["detail"]


def test_other_bytes_a_changed_statement_and_other_keys_are_refused(
    small: SmallModel, sigstore: SigstoreInstance, digest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    published(small).write_bytes(sigstore.attest(ABOUT_OTHER_BYTES))
    told = f"expected sha256 {digest}, found {ABOUT_OTHER_BYTES}"
    assert told in outcome(capsys, code=1)["detail"]
    document = json.loads(sigstore.attest(ABOUT_OTHER_BYTES))
    other = json.loads(sigstore.attest(digest))
    document["dsseEnvelope"]["payload"] = other["dsseEnvelope"]["payload"]
    published(small).write_text(json.dumps(document))
    assert "invalid signature" in outcome(capsys, code=1)["detail"]
    published(small).write_bytes(SigstoreInstance().attest(digest))
    assert outcome(capsys, code=1)["state"] == "different"


@pytest.mark.parametrize(
    "garbage", [b"", b"<html>", b"{}", b"[" * 100_000, b"\xff\0", b'{"mediaType": "\x1b[2J"}', b"1"]
)
def test_garbage_is_no_attestation(
    small: SmallModel, garbage: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    published(small).write_bytes(garbage)
    asset = outcome(capsys, code=1)
    assert (asset["state"], asset["detail"].isprintable()) == ("different", True)
    assert 0 < len(asset["detail"]) <= 501


@pytest.mark.parametrize("document", ["{}", "x", "[]", ""])
def test_what_is_no_bundle_is_told_shortly(
    document: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bundle"
    path.write_text(document)
    asset = outcome(capsys, "--bundle", str(path), code=1)
    assert (asset["state"], asset["detail"]) == ("different", "it is no sigstore bundle")


def test_a_bundle_is_taken_from_a_file_also_one_of_several(
    sigstore: SigstoreInstance, digest: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "sha256-digest.jsonl"
    path.write_bytes(sigstore.attest(ABOUT_OTHER_BYTES) + b"\n" + sigstore.attest(digest) + b"\n")
    asset = outcome(capsys, "--bundle", str(path), code=0)
    assert (asset["state"], asset["origin"]) == ("ok", str(path))
    assert main(["verify", "--bundle", str(tmp_path / "none")]) == 2
    assert "No such file" in capsys.readouterr().err


def test_where_nobody_publishes_one_it_is_missing(
    small: SmallModel, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEIMDALL_SOURCES", "mirror")
    asset = outcome(capsys, code=1)
    told = "nobody has a models-v1.zip.sigstore.json"
    assert (asset["state"], asset["detail"]) == ("missing", told)
    assert main(["verify", "--provenance"]) == 1
    assert "nothing proves that owner/repository made" in capsys.readouterr().out


def test_what_could_not_be_asked_is_no_finding(
    small: SmallModel, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(VERIFY) == 2
    told = capsys.readouterr().err
    assert "github: not asked, since HEIMDALL_OFFLINE is set" in told
    assert "'--bundle FILE'" in told
    monkeypatch.setenv("HEIMDALL_SOURCES", "index")
    assert main(VERIFY) == 2
    assert "names neither github nor a mirror" in capsys.readouterr().err


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network without Sigstore in it."""
    monkeypatch.delenv("HEIMDALL_OFFLINE")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")


@pytest.mark.usefixtures("online")
def test_github_and_a_mirror_are_asked_as_for_the_asset(
    small: SmallModel,
    sigstore: SigstoreInstance,
    digest: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A mirror whose attestation does not hold is passed over; a mirror's layout is either one."""
    published(small).write_bytes(sigstore.attest(digest))
    wrong = tmp_path / "wrong" / "owner" / "repository" / "v1" / published(small).name
    wrong.parent.mkdir(parents=True)
    wrong.write_bytes(b"garbage")
    with (
        plain_mirror(tmp_path / "wrong") as mirror,
        github(small.directory, repository="owner/repository") as server,
    ):
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", mirror.url)
        monkeypatch.setenv("HEIMDALL_GITHUB_URL", server.url)
        asset = outcome(capsys, code=0)
        assert (asset["signer"], asset["origin"].partition("/owner")[0]) == (WORKFLOW, server.url)
        monkeypatch.setenv("HEIMDALL_SOURCES", "mirror")
        assert outcome(capsys, code=1)["origin"] == mirror.url


@pytest.mark.usefixtures("online")
def test_no_network_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEIMDALL_GITHUB_URL", "http://127.0.0.1:9")
    assert main(VERIFY) == 2
    told = capsys.readouterr().err
    assert "the attestation can't be checked: " in told
    assert "127.0.0.1" in told
    assert "Connection refused; '--bundle FILE'" in told


@pytest.mark.usefixtures("online")
def test_an_answer_that_can_not_be_used_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    body = b'{"layers": [{}]}'
    with raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)) as odd:
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", odd.url.replace("http", "oci+http") + "/a")
        monkeypatch.setenv("HEIMDALL_SOURCES", "mirror")
        assert main(VERIFY) == 2
    assert "its answer can't be used (KeyError)" in capsys.readouterr().err


def test_without_the_library_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "sigstore.verify", None)
    assert main(VERIFY) == 2
    told = capsys.readouterr().err
    assert "pip install 'heimdall-mcp[provenance]'" in told
    assert main(["verify"]) == 0


def test_keys_that_can_not_be_kept_are_told(
    keys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys.unlink()
    keys.parent.rmdir()
    keys.parent.touch()
    (tmp_path / "bundle").write_text("{}")
    assert main(["verify", "--bundle", str(tmp_path / "bundle")]) == 2
    assert "sigstore's keys can't be kept" in capsys.readouterr().err


def test_a_real_attestation_of_githubs_action(keys: Path) -> None:
    """Of the sdist of pypi-attestations 0.0.19, from that of 0.0.30, where it is a sample; with Sigstore's real keys."""
    keys.unlink()
    document = Path(__file__).with_name("real_attestation.sigstore.json").read_bytes()
    sha256 = "9bb1add04b1b4e182be6b0b80931593f7a291eb49d69b4fd728a5d4cbcdc4bd3"
    asset = PinnedAsset("v0.0.19", "pypi_attestations-0.0.19.tar.gz", sha256, 1)
    verifier = provenance._verifier(Settings(offline="HEIMDALL_OFFLINE"))
    signer, problem = provenance.examine(document, asset, "trailofbits/pypi-attestations", verifier)
    assert problem == ""
    workflow = "trailofbits/pypi-attestations/.github/workflows/release.yml@refs/tags/v0.0.19"
    assert signer == f"https://github.com/{workflow}"
    signer, problem = provenance.examine(document, asset, "trailofbits/rfc8785.py", verifier)
    assert signer == ""
    assert "expected a workflow of https://github.com/trailofbits/rfc8785.py" in problem
