from __future__ import annotations

import importlib.util
from importlib.machinery import ModuleSpec

import pytest

from heimdall.models.errors import SourceError
from heimdall.models.transfer.http import Client
from heimdall.models.transfer.proxies import problem_with, proxy_for

PROXY = "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("no_proxy", "url", "direct"),
    [
        ("10.0.0.0/8", "https://10.1.2.3/x", True),
        ("10.0.0.0/8", "https://11.1.2.3/x", False),
        ("localhost, 192.168.1.0/24 ,10.0.0.0/8", "http://192.168.1.77:8080/x", True),
        ("192.168.1.7/24", "http://192.168.1.77/x", True),  # as requests takes it
        ("fd00::/8", "http://[fd12::1]:8080/x", True),
        ("[fd12::1]", "http://[fd12::1]:8080/x", True),
        ("fd00::/8", "http://10.1.2.3/x", False),
        ("10.0.0.0/8", "https://ten.example/x", False),
        ("10.0.0.0/99,/,nonsense/8", "https://10.1.2.3/x", False),
        (".example", "https://ten.example/x", True),
        ("*", "https://ten.example/x", True),
        ("", "https://ten.example/x", False),
    ],
)
def test_exceptions(monkeypatch: pytest.MonkeyPatch, no_proxy: str, url: str, direct: bool) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, PROXY)
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert proxy_for(url) == (None if direct else PROXY)


def test_a_proxy_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "proxy.example:3128")
    assert proxy_for("https://ten.example/x") == PROXY
    monkeypatch.setenv("https_proxy", "other.example:1")
    assert proxy_for("https://ten.example/x") == "http://other.example:1"


@pytest.mark.parametrize(
    ("proxy", "problem"),
    [
        (PROXY, None),
        ("https://proxy.example", None),
        ("http://me:p@ss@proxy.example:3128", None),
        ("http://me:p/@ss@proxy.example:3128", "write @ as %40"),
        ("http://proxy.example:port", "is no URL"),
        ("http://:80", "names no host"),
        ("ftp://proxy.example", "is of the kind ftp, which can't be used"),
    ],
)
def test_what_is_wrong_with_a_proxy(proxy: str, problem: str | None) -> None:
    found = problem_with(proxy)
    assert problem in found if problem and found else found is problem


def test_a_proxy_that_can_not_be_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec

    def without_pysocks(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name == "socks" else found(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", without_pysocks)
    reasons = {
        "socks5h://me:hunter2@proxy.example:1080": "SOCKS proxy, for which PySocks is missing: pip install pysocks",
        "ftp://me:hunter2@proxy.example": "is of the kind ftp",
    }
    for proxy, reason in reasons.items():
        monkeypatch.setenv("ALL_PROXY", proxy)
        with (
            pytest.raises(SourceError, match=rf"the proxy \w+://proxy\.example.* {reason}") as told,
            Client().open("https://mirror.example/x"),
        ):
            pass
        assert "hunter2" not in str(told.value)
