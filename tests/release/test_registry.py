"""Pushing a release to a real OCI registry."""

from __future__ import annotations

from pathlib import Path

import pytest

from hatch_heimdall_models.manifest import Asset
from release.__main__ import main
from release.registry import push
from tests.support.docker_registry import docker_registry
from tests.support.release_checkout import NAME, SHA256, SUMS, TAG, make_checkout

pytestmark = pytest.mark.slow


def test_a_release_is_pushed_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkout = make_checkout(tmp_path)
    with docker_registry() as registry:
        arguments = ["push", f"oci://{registry.host}/models", "--tag", TAG, "--checkout"]
        arguments.append(str(checkout.root))
        assert main(arguments) == 0
        target = f"{registry.host}/models:{TAG}"
        assert f"pushing {NAME}, SHA256SUMS to {target}" in capsys.readouterr().out
        assert main(arguments) == 0
        told = capsys.readouterr()
        assert told.out == f"{target} is there already\n{target} has the pinned bytes\n"
    manifests = [
        path for method, path, *_ in registry.requests if method == "PUT" and "/manifests/" in path
    ]
    assert manifests == [f"/v2/models/manifests/{TAG}"]
    assert SHA256 in SUMS.decode()


def test_a_tag_is_never_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkout = make_checkout(tmp_path / "checkout")
    other = tmp_path / NAME
    other.write_bytes(b"other bytes")
    with docker_registry() as registry:
        url = f"oci://{registry.host}/models"
        push(url, TAG, [Asset.of_file(TAG, other)], tmp_path, lambda _: None)
        assert main(["push", url, "--tag", TAG, "--checkout", str(checkout.root)]) == 2
    assert "a tag is never replaced" in capsys.readouterr().err
    assert (
        sum(method == "PUT" and "/manifests/" in path for method, path, *_ in registry.requests)
        == 1
    )


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("https://registry.example/models", "expected oci://registry[:port]/repository"),
        ("oci://registry.example", "expected oci://registry[:port]/repository"),
        ("oci://me:secret@registry.example/models", "keep the login with 'docker login'"),
        ("oci://127.0.0.1:9/models", "could not be reached"),
    ],
)
def test_what_is_wrong_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], url: str, message: str
) -> None:
    root = str(make_checkout(tmp_path).root)
    assert main(["push", url, "--tag", TAG, "--checkout", root]) == 2
    told = capsys.readouterr().err
    assert message in told
    assert "secret" not in told


def test_without_a_login(tmp_path: Path, capsys: pytest.CaptureFixture[str], home: Path) -> None:
    root = str(make_checkout(tmp_path / "checkout").root)
    with docker_registry(password=True) as registry:
        url = f"oci://{registry.host}/models"
        assert main(["push", url, "--tag", TAG, "--checkout", root]) == 2
    assert f"'docker login {registry.host}'" in capsys.readouterr().err
