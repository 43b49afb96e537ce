from __future__ import annotations

import importlib.util
import os
import sys
import urllib.request
from importlib.machinery import ModuleSpec
from types import ModuleType

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


@pytest.mark.parametrize("server", ["", "gunicorn.arbiter"])
def test_after_a_fork_the_systems_settings_are_not_asked(
    monkeypatch: pytest.MonkeyPatch, server: str
) -> None:
    """On macOS that may end the process: the module there is asked by these two functions."""
    monkeypatch.setattr(urllib.request, "getproxies", lambda: {"https": "http://system:1"})
    monkeypatch.setattr(urllib.request, "proxy_bypass", lambda _: 0)
    assert proxy_for("https://ten.example/x") == "http://system:1"
    monkeypatch.setenv("NO_PROXY", "excepted.example")
    monkeypatch.setenv("ALL_PROXY", PROXY)
    for name in ("getproxies", "proxy_bypass"):
        monkeypatch.setattr(urllib.request, name, lambda *_: os._exit(1))
    if server:
        monkeypatch.setitem(sys.modules, server, ModuleType(server))
    elif child := os.fork():
        assert os.waitpid(child, 0)[1] == 0
        return
    asked = [proxy_for(f"https://{name}.example/x") for name in ("ten", "excepted")]
    if not server:
        os._exit(asked != [PROXY, None])
    assert asked == [PROXY, None]
