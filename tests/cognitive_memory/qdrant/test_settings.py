from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognitive_memory.core.config import ConfigError
from cognitive_memory.qdrant.settings import QdrantSettings, qdrant_settings
from tests.support.places import DATA


def test_the_environment_alone_decides(home: Path) -> None:
    assert qdrant_settings({}) is None
    server = qdrant_settings(
        {"HEIMDALL_QDRANT_URL": "http://a:6333", "HEIMDALL_QDRANT_API_KEY": "secret"}
    )
    assert server is not None
    assert (server.urls, server.api_key, server.place) == (
        ("http://a:6333",),
        "secret",
        "http://a:6333",
    )
    assert "secret" not in repr(server)
    assert server.directory == home / DATA / "qdrant"


@pytest.mark.parametrize(
    "value",
    [
        "qdrant:6333",
        "ftp://x",
        "http://",
        "http://x:port",
        "http://x:99999",
        "  ",
        ",",
        "http://a,b",
        "local",
    ],
)
def test_what_is_no_address_is_refused(value: str) -> None:
    with pytest.raises(ConfigError, match="HEIMDALL_QDRANT_URL: expected an address"):
        qdrant_settings({"HEIMDALL_QDRANT_URL": value})


def test_secrets_in_an_address_are_not_shown() -> None:
    with pytest.raises(ConfigError) as refused:
        qdrant_settings({"HEIMDALL_QDRANT_URL": "ftp://me:pw@host"})
    assert "pw" not in str(refused.value)


@given(st.text(min_size=1))
def test_any_text_is_an_address_or_refused(value: str) -> None:
    with suppress(ConfigError):
        settings = qdrant_settings({"HEIMDALL_QDRANT_URL": value})
        assert settings is not None
        assert ",".join(settings.urls) in {value.strip(), *settings.urls} or "," in value


def test_a_key_in_the_clear_is_told(tmp_path: Path) -> None:
    def said(*urls: str, key: str | None = "k") -> str | None:
        return QdrantSettings(urls=urls, directory=tmp_path, api_key=key).key_in_the_clear()

    assert (
        said("http://qdrant.example.org:6333")
        == "the key goes to http://qdrant.example.org:6333 unencrypted: use https"
    )
    assert not any([said("https://x"), said("http://127.0.0.1:6333"), said("http://x", key=None)])
    assert said("https://a", "http://b", "http://c") == (
        "the key goes to http://b, http://c unencrypted: use https"
    )


def test_several_nodes_are_asked_in_their_order() -> None:
    settings = qdrant_settings(
        {"HEIMDALL_QDRANT_URL": " http://me:pw@a , https://b:1/,http://me:pw@a,"}
    )
    assert settings is not None
    assert settings.urls == ("http://me:pw@a", "https://b:1/")
    assert settings.place == "http://a, https://b:1/"
    assert [node.urls for node in settings.nodes] == [("http://me:pw@a",), ("https://b:1/",)]


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "1e9", "a second", "1,5"])
def test_what_is_no_time_is_refused(value: str) -> None:
    with pytest.raises(ConfigError, match="HEIMDALL_QDRANT_TIMEOUT: expected seconds, more than 0"):
        qdrant_settings({"HEIMDALL_QDRANT_URL": "http://a", "HEIMDALL_QDRANT_TIMEOUT": value})


@pytest.mark.parametrize(("value", "seconds"), [("", 1.5), (" 0.25 ", 0.25), ("600", 600.0)])
def test_a_recall_has_its_time(value: str, seconds: float) -> None:
    settings = qdrant_settings(
        {"HEIMDALL_QDRANT_URL": "http://a", "HEIMDALL_QDRANT_TIMEOUT": value}
    )
    assert settings is not None
    assert settings.recall_seconds == seconds
