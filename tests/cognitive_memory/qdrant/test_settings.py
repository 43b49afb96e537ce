from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognitive_memory.core.config import ConfigError
from cognitive_memory.qdrant.settings import QdrantSettings, qdrant_settings


def test_the_environment_alone_decides(home: Path) -> None:
    assert qdrant_settings({}) is None
    server = qdrant_settings(
        {"HEIMDALL_QDRANT_URL": "http://a:6333", "HEIMDALL_QDRANT_API_KEY": "secret"}
    )
    assert server is not None
    assert (server.url, server.api_key, server.place) == (
        "http://a:6333",
        "secret",
        "http://a:6333",
    )
    assert "secret" not in repr(server)
    local = qdrant_settings({"HEIMDALL_QDRANT_URL": "local"})
    assert local is not None
    assert local.url is None
    assert local.directory == home / ".local/share/heimdall/qdrant"


@pytest.mark.parametrize(
    "value", ["qdrant:6333", "ftp://x", "http://", "http://x:port", "http://x:99999", "  "]
)
def test_what_is_no_address_is_refused(value: str) -> None:
    with pytest.raises(ConfigError, match="HEIMDALL_QDRANT_URL: expected 'local' or an address"):
        qdrant_settings({"HEIMDALL_QDRANT_URL": value})


def test_secrets_in_an_address_are_not_shown() -> None:
    with pytest.raises(ConfigError) as refused:
        qdrant_settings({"HEIMDALL_QDRANT_URL": "ftp://me:pw@host"})
    assert "pw" not in str(refused.value)


@given(st.text(min_size=1).filter(lambda value: value != "local"))
def test_any_text_is_an_address_or_refused(value: str) -> None:
    with suppress(ConfigError):
        settings = qdrant_settings({"HEIMDALL_QDRANT_URL": value})
        assert settings is not None
        assert settings.url == value


def test_a_key_in_the_clear_is_told(tmp_path: Path) -> None:
    def said(url: str | None, key: str | None = "k") -> str | None:
        return QdrantSettings(url=url, directory=tmp_path, api_key=key).key_in_the_clear()

    assert (
        said("http://qdrant.example.org:6333")
        == "the key goes to http://qdrant.example.org:6333 unencrypted: use https"
    )
    assert not any(
        [said("https://x"), said("http://127.0.0.1:6333"), said("http://x", None), said(None)]
    )
