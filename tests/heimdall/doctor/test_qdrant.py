from __future__ import annotations

import socket
from pathlib import Path

import pytest

from heimdall.doctor import qdrant
from heimdall.doctor.finding import Finding, Request, Status
from tests.support.qdrant_standin import good_node
from tests.support.servers import plain_mirror

pytestmark = pytest.mark.slow


def look(root: Path, *, online: bool = False) -> list[Finding]:
    return list(qdrant.check(Request(project=root, online=online)))


def test_none_is_configured(root: Path) -> None:
    (found,) = look(root)
    assert (found.status, found.message) == (
        Status.NOT_CHECKED,
        "not checked: not configured, and not needed",
    )


def test_without_asking_nothing_is_known(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEIMDALL_QDRANT_URL", "https://user:verysecret@qdrant.invalid:6333")
    (found,) = look(root)
    assert (found.status, found.path) == (Status.NOT_CHECKED, "https://qdrant.invalid:6333")
    assert "verysecret" not in repr(found)


def test_an_address_that_is_none(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEIMDALL_QDRANT_URL", "http://")
    (found,) = look(root)
    assert found.status is Status.FAIL
    assert "HEIMDALL_QDRANT_URL" in found.message


def test_a_key_in_the_clear(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEIMDALL_QDRANT_URL", "http://qdrant.invalid:6333")
    monkeypatch.setenv("HEIMDALL_QDRANT_API_KEY", "verysecret")
    key, _ = look(root)
    assert (key.key, key.status) == ("qdrant_key", Status.WARN)
    assert "verysecret" not in repr(key)


def test_a_server_that_is_down_or_another(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # nobody listens
        monkeypatch.setenv("HEIMDALL_QDRANT_URL", f"http://127.0.0.1:{closed.getsockname()[1]}")
        (found,) = look(root, online=True)
    assert found.status is Status.FAIL
    assert "no answer" in found.message
    with plain_mirror(tmp_path) as server:
        monkeypatch.setenv("HEIMDALL_QDRANT_URL", server.url)
        (found,) = look(root, online=True)
    assert found.status is Status.FAIL
    assert found.advice


def test_one_that_answers(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with good_node() as url:
        monkeypatch.setenv("HEIMDALL_QDRANT_URL", url)
        (found,) = look(root, online=True)
    assert (found.status, "0 collections" in found.message) == (Status.PASS, True), found.message
