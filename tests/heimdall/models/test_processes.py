from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from heimdall.models.processes import _number_of_a_mac, host_name, is_running, this_process


def test_a_name_says_host_and_number() -> None:
    assert this_process() == f"{host_name()}.{os.getpid()}"
    assert host_name().replace("_", "a").isalnum()


def test_who_runs() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert is_running(os.getpid())
    assert os.name == "nt" or is_running(1), "root's"
    assert is_running(ended.pid) is False
    assert is_running(10**30) is False


def test_on_windows_names_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "uname", raising=False)
    monkeypatch.setenv("COMPUTERNAME", "DESKTOP-1.corp")
    assert host_name() == "DESKTOP_1"


def test_a_mac_has_a_number_whatever_the_network_calls_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import ctypes

    class Mac:
        def gethostuuid(self, number: ctypes.Array[ctypes.c_char], _wait: object) -> int:
            number.raw = bytes(range(16))
            return 0

    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(ctypes, "CDLL", lambda _: Mac())
    _number_of_a_mac.cache_clear()
    assert host_name() == bytes(range(16)).hex()
    _number_of_a_mac.cache_clear()
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    name = platform.node().partition(".")[0].replace("-", "_")
    assert host_name().casefold() == name.casefold()  # Windows' variable has capital letters
    _number_of_a_mac.cache_clear()
