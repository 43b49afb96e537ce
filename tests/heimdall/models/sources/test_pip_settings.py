from __future__ import annotations

from pathlib import Path

import pytest

from heimdall.models.sources import pip_settings
from heimdall.models.sources.pip_settings import (
    IndexSettings,
    parse_configuration,
    parse_default_index,
    read_index_settings,
)


def test_later_sections_override_earlier_ones() -> None:
    text = """\
:env:.index-url='https://env.example/simple'
global.cert='/etc/ca.pem'
global.index-url='https://global.example/simple'
install.index_url='https://install.example/simple'
download.proxy='http://other.example'
noise
"""
    assert parse_configuration(text) == {
        "cert": "/etc/ca.pem",
        "index-url": "https://env.example/simple",
    }


def test_the_default_index_is_read_from_pips_own_help() -> None:
    text = "  -i, --index-url <url>   Base URL of the Python Package Index (default https://default.example/simple). This"
    assert parse_default_index(text) == "https://default.example/simple"
    assert parse_default_index("nothing") is None


def test_real_pip_names_a_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    (index,) = read_index_settings().indexes
    assert index.startswith("https://")
    assert index.endswith("/simple")


def test_variables_of_pip_and_uv_are_followed_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", "https://user:secret@pip.example/simple/")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://a.example/simple https://b.example/simple")
    monkeypatch.setenv("PIP_CERT", "/etc/ca.pem")
    monkeypatch.setenv("PIP_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "internal=https://uv.example/simple")
    assert read_index_settings() == IndexSettings(
        (
            "https://user:secret@pip.example/simple",
            "https://uv.example/simple",
            "https://a.example/simple",
            "https://b.example/simple",
        ),
        proxy="http://proxy.example:3128",
        authority="/etc/ca.pem",
    )


def test_a_configuration_file_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "pip.conf"
    file.write_text("[global]\nindex-url = https://file.example/simple\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
    assert read_index_settings().indexes == ("https://file.example/simple",)


def test_no_index_means_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert read_index_settings().indexes == ()


def test_without_pip_the_one_bundled_with_python_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", "https://pip.example/simple")
    bundled = pip_settings._bundled_pip()
    if bundled is None:
        pytest.skip("this Python bundles no pip (a distribution took it out)")
    monkeypatch.setattr(
        pip_settings,
        "find_spec",
        lambda name: None if name == "pip" else __import__("importlib.util").util.find_spec(name),
    )
    assert read_index_settings().indexes == ("https://pip.example/simple",)
