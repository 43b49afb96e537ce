from __future__ import annotations

import ntpath
import os
import sys
from functools import partial
from pathlib import Path

import platformdirs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from platformdirs.macos import MacOS

from heimdall.models import locations
from heimdall.models.settings import SettingsError
from tests.support.capabilities import needs_posix_paths
from tests.support.places import DATA

_DIRECTORIES = st.one_of(
    st.none(),
    st.sampled_from(
        [
            "",
            " ",
            "/",
            "/data",
            "/data/",
            "//data",
            "relative",
            "~",
            "~/x",
            "/a:/b",
            ":/a",
            " /a",
            "/a ",
            "$X",
        ]
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12).map(
        lambda text: f"/{text}"
    ),
)


@given(variable=st.sampled_from(["XDG_DATA_HOME", "XDG_DATA_DIRS"]), value=_DIRECTORIES)
def test_the_short_cut_on_linux_says_what_platformdirs_says(
    variable: str, value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.delenv("HEIMDALL_SYSTEM_MODELS", raising=False)
        patch.delenv(variable, raising=False)
        if value is not None:
            patch.setenv(variable, value)
        assert locations.data_dir() == platformdirs.user_data_dir("heimdall", "heimdall-mcp")
        site = platformdirs.site_data_dir("heimdall", "heimdall-mcp")
        assert locations.system_models_dir() == os.path.join(site, "models")


def test_without_home_platformdirs_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    assert locations.data_dir() == platformdirs.user_data_dir("heimdall", "heimdall-mcp")


def test_variables_win_and_become_absolute(
    monkeypatch: pytest.MonkeyPatch, home: Path, tmp_path: Path
) -> None:
    monkeypatch.setenv("HEIMDALL_DATA_DIR", "~/elsewhere")
    monkeypatch.setenv("HEIMDALL_SYSTEM_MODELS", "system")
    assert locations.data_dir() == str(home / "elsewhere")
    assert locations.models_dir() == str(home / "elsewhere" / "models")
    assert locations.system_models_dir() == str(tmp_path / "system")
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path / "mine"))
    assert locations.models_dir() == str(tmp_path / "mine")


def test_the_carried_manifest_comes_before_the_checkouts_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "heimdall"
    package.mkdir()
    monkeypatch.setattr(locations, "PACKAGE_DIRECTORY", str(package))
    carried, lock = package / "model_manifest.json", tmp_path / "models.lock.json"
    assert locations.manifest_path() == str(carried)
    lock.touch()
    assert locations.manifest_path() == str(lock)
    carried.touch()
    assert locations.manifest_path() == str(carried)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere platformdirs is always asked")
def test_ordinary_linux_needs_no_platformdirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    monkeypatch.delenv("HEIMDALL_SYSTEM_MODELS")
    assert locations.data_dir().endswith("/.local/share/heimdall")
    assert locations.system_models_dir() == "/usr/local/share/heimdall/models"


HOMEBREW = "/opt/homebrew/opt/python@3.13/Frameworks/Python.framework/Versions/3.13"


@pytest.mark.parametrize("prefix", ["/usr/local", HOMEBREW, "/usr/local/Cellar/python@3.12/3.12.9"])
@pytest.mark.parametrize("variable", ["", "XDG_DATA_HOME", "XDG_DATA_DIRS"])
@needs_posix_paths
def test_the_short_cut_on_macos_says_what_platformdirs_says(
    monkeypatch: pytest.MonkeyPatch, home: Path, prefix: str, variable: str
) -> None:
    monkeypatch.delenv("HEIMDALL_SYSTEM_MODELS")
    monkeypatch.setattr(sys, "platform", "darwin")
    for name in ("prefix", "base_prefix"):
        monkeypatch.setattr(sys, name, prefix)
    if variable:
        monkeypatch.setenv(variable, "/data")
    asked = []

    def answer(name: str, app: str, author: str) -> str:
        asked.append(name)
        return str(getattr(MacOS(app, author), name))

    for name in ("user_data_dir", "site_data_dir"):
        monkeypatch.setattr(platformdirs, name, partial(answer, name))
    mac = MacOS("heimdall", "heimdall-mcp")
    assert locations.data_dir() == mac.user_data_dir
    assert locations.models_dir() == f"{mac.user_data_dir}/models"
    assert locations.system_models_dir() == f"{mac.site_data_dir}/models"
    if prefix == "/usr/local" and not variable:
        assert not asked
        assert mac.user_data_dir == f"{home}/Library/Application Support/heimdall"
        assert mac.site_data_dir == "/Library/Application Support/heimdall"


@pytest.mark.parametrize("told", ["by variables", "by the system"])
def test_on_windows(told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # What platformdirs documents; only on Windows can it be asked itself.
    local, common = "C:\\Users\\you\\AppData\\Local", "C:\\ProgramData"
    for name, folder in {"LOCALAPPDATA": local, "PROGRAMDATA": common}.items():
        monkeypatch.setenv(name, folder if told == "by variables" else "")
    asked = (local, common) if told == "by the system" else ("C:\\not", "C:\\not")
    monkeypatch.setattr(
        platformdirs, "user_data_dir", lambda app, author: f"{asked[0]}\\{author}\\{app}"
    )
    monkeypatch.setattr(
        platformdirs, "site_data_dir", lambda app, author: f"{asked[1]}\\{author}\\{app}"
    )
    monkeypatch.delenv("HEIMDALL_SYSTEM_MODELS")
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(os, "path", ntpath)
    assert locations.data_dir() == f"{local}\\heimdall-mcp\\heimdall"
    assert locations.system_models_dir() == f"{common}\\heimdall-mcp\\heimdall\\models"
    monkeypatch.setenv("HEIMDALL_DATA_DIR", "D:\\memories")
    assert locations.models_dir() == "D:\\memories\\models"


@pytest.mark.parametrize(
    "variable", ["HEIMDALL_DATA_DIR", "MODEL_CACHE_DIR", "HEIMDALL_SYSTEM_MODELS"]
)
@pytest.mark.parametrize(
    "value",
    [
        '"/srv/x"', "'/srv/x'", '"/srv/x', "/srv/x'", " /srv/x", "/srv/x\r", "$HOME/h", "/a/${USER}/h", "%USERPROFILE%\\h",
        "/srv/%USER%", "~nobody-of-that-name/h",
    ],
)  # fmt: skip
def test_what_a_shell_should_have_taken_away_is_an_error(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=variable):
        locations.named_directory(variable)
    with pytest.raises(SettingsError):
        locations.system_models_dir() if "SYSTEM" in variable else locations.models_dir()


@pytest.mark.parametrize(
    "value", ["/srv/a b", "/srv/100%", "/srv/50% off, 20% left", "/srv/$", "/srv/it's"]
)
@needs_posix_paths
def test_what_only_looks_a_little_like_it_is_a_path(value: str) -> None:
    assert locations.named_directory("HEIMDALL_DATA_DIR", value) == value


@pytest.mark.parametrize("home", ["/", "/nonexistent", None])
@needs_posix_paths
def test_without_a_home_a_service_keeps_its_state_where_systemd_says(
    home: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if home is None:
        monkeypatch.delenv("HOME")
        monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # a user without a name
    else:
        monkeypatch.setenv("HOME", home)
    monkeypatch.setenv("STATE_DIRECTORY", f"{tmp_path}/state:/var/lib/other")
    assert locations.data_dir() == f"{tmp_path}/state"
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert locations.data_dir() == "/data/heimdall"


def test_a_service_with_a_home_keeps_to_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/other")
    assert locations.data_dir() == str(home / DATA)


@pytest.mark.skipif(sys.platform != "win32", reason="elsewhere there are no such folders")
def test_platformdirs_says_the_same_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEIMDALL_SYSTEM_MODELS")
    assert locations.data_dir() == platformdirs.user_data_dir("heimdall", "heimdall-mcp")
    site = platformdirs.site_data_dir("heimdall", "heimdall-mcp")
    assert Path(locations.system_models_dir()) == Path(site, "models")
