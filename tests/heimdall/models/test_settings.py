from __future__ import annotations

import pytest

from heimdall.models.settings import SOURCES, Settings, SettingsError


def test_defaults() -> None:
    settings = Settings.from_environment({})
    assert settings == Settings()
    assert settings.sources == SOURCES
    assert settings.network_forbidden_by is None


def test_every_variable_is_read() -> None:
    settings = Settings.from_environment(
        {
            "HEIMDALL_MODELS_MIRROR": "https://a.example/x/, file:///srv/models ,",
            "HEIMDALL_GITHUB_URL": "https://ghe.example/",
            "HEIMDALL_GITHUB_TOKEN": "t1",
            "GITHUB_TOKEN": "t2",
            "HEIMDALL_SOURCES": "index, github,index",
            "HEIMDALL_HTTP_TIMEOUT": "7.5",
            "HEIMDALL_CONNECT_TIMEOUT": "20",
            "HEIMDALL_LOCK_TIMEOUT": "3",
            "HEIMDALL_PROGRESS": "off",
            "HEIMDALL_FETCH": "use",
        }
    )
    assert settings == Settings(
        mirrors=("https://a.example/x", "file:///srv/models"),
        github_url="https://ghe.example",
        github_token="t1",
        sources=("index", "github"),
        stall_seconds=7.5,
        connect_seconds=20.0,
        lock_seconds=3.0,
        progress=False,
        fetch="use",
    )


@pytest.mark.parametrize("name", ["HEIMDALL_OFFLINE", "HF_HUB_OFFLINE"])
@pytest.mark.parametrize(
    ("value", "offline"),
    [("1", True), ("YES", True), ("true", True), ("on", True), ("0", False), ("", False)],
)
def test_offline(name: str, value: str, offline: bool) -> None:
    settings = Settings.from_environment({name: value})
    assert settings.network_forbidden_by == (name if offline else None)


def test_never_fetching_forbids_the_network() -> None:
    assert Settings(fetch="never").network_forbidden_by == "HEIMDALL_FETCH=never"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("HEIMDALL_OFFLINE", "maybe"),
        ("HEIMDALL_PROGRESS", "2"),
        ("HEIMDALL_HTTP_TIMEOUT", "soon"),
        ("HEIMDALL_HTTP_TIMEOUT", "0"),
        ("HEIMDALL_CONNECT_TIMEOUT", "0"),
        ("HEIMDALL_LOCK_TIMEOUT", "-1"),
        ("HEIMDALL_LOCK_TIMEOUT", "inf"),
        ("HEIMDALL_LOCK_TIMEOUT", "nan"),
        ("HEIMDALL_SOURCES", "github,gitlab"),
        ("HEIMDALL_FETCH", "later"),
        ("HEIMDALL_GITHUB_URL", "file:///x"),
        ("HEIMDALL_GITHUB_URL", "github.com"),
        ("HEIMDALL_MODELS_MIRROR", "ftp://a.example"),
        ("HEIMDALL_MODELS_MIRROR", "https://"),
        ("HEIMDALL_MODELS_MIRROR", "https://a.example/x?signature=y"),
        ("HEIMDALL_MODELS_MIRROR", "http://[::1"),
        ("HEIMDALL_MODELS_MIRROR", "http://a.example:port"),
    ],
)
def test_a_bad_value_names_its_variable(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{variable}=.*expected") as caught:
        Settings.from_environment({variable: value})
    assert caught.value.variable == variable


def test_a_token_is_stripped_and_never_shown() -> None:
    assert Settings.from_environment({"GITHUB_TOKEN": " t0ken\n"}).github_token == "t0ken"
    with pytest.raises(SettingsError, match="GITHUB_TOKEN") as caught:
        Settings.from_environment({"GITHUB_TOKEN": "t0k\nen"})
    assert "t0k" not in str(caught.value)


def test_a_bad_mirror_does_not_tell_its_password() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment(
            {"HEIMDALL_MODELS_MIRROR": "ftp://user:hunter2@a.example/?key=hunter2"}
        )
    assert "hunter2" not in str(caught.value)
