from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heimdall.mcp_server.places import of_variables, path_in

POSIX = [
    ("file:///home/me/project", "/home/me/project"),
    ("file://localhost/home/me", "/home/me"),
    ("file:/home/me", "/home/me"),
    ("FILE:///home/me", "/home/me"),
    ("file:////home/me", "/home/me"),
    ("file:///a%20b/%C3%A4", "/a b/ä"),
    ("file:///a#b?c", "/a#b?c"),
    ("/home/me", "/home/me"),
    (" /home/me/ ", "/home/me"),
    ("/home/me/../you", "/home/you"),
    ("file://other.host/share", None),
    ("https://example.com/x", None),
    ("file://[", None),
    ("file://[::1]/x", None),
    ("file:relative", None),
    ("relative", None),
    ("~/x", None),
    ("C:\\Users", None),
    ("file:///a%00b", None),
    ("", None),
]
WINDOWS = [
    ("file:///c%3A/Users/me", "c:\\Users\\me"),
    ("file:///C:/", "C:\\"),
    ("file:///C:/a%20b", "C:\\a b"),
    ("file://C:/Users", "C:\\Users"),
    ("file:/C:/Users", "C:\\Users"),
    ("file://localhost/c:/Users", "c:\\Users"),
    ("file://server/share", "\\\\server\\share"),
    ("file://server/share/a/..", "\\\\server\\share\\"),
    ("file:////server/share", "\\\\server\\share"),
    ("C:\\Users\\me", "C:\\Users\\me"),
    ("c:/Users/me", "c:\\Users\\me"),
    ("/c:/Users/me", "c:\\Users\\me"),
    ("/C:/", "C:\\"),
    ("file:///c%3A%5CUsers%5Cme", "c:\\Users\\me"),
    ("file:///C:%2FUsers/me", "C:\\Users\\me"),
    ("\\\\server\\share\\a", "\\\\server\\share\\a"),
    ("C:", None),
    ("C:me", None),
    ("\\me", None),
    ("/home/me", None),
    ("file:///home/me", None),
    ("file://[::1]/x", None),
    ("https://example.com/x", None),
    ("", None),
]


@pytest.mark.parametrize(("named", "path"), POSIX)
def test_names_on_posix(named: str, path: str | None) -> None:
    assert path_in(named, windows=False) == path


@pytest.mark.parametrize(("named", "path"), WINDOWS)
def test_names_on_windows(named: str, path: str | None) -> None:
    assert path_in(named, windows=True) == path


@given(st.text() | st.text("file:/\\C%5.?#[]|~", max_size=20).map("file://".__add__), st.booleans())
def test_any_name_is_an_absolute_path_or_none(named: str, windows: bool) -> None:
    path = path_in(named, windows=windows)
    assert path is None or path.startswith("/") != windows


def test_variables_name_one_directory_or_several(tmp_path: Path) -> None:
    first, second, odd = tmp_path / "first", tmp_path / "second", tmp_path / "a,b:c"
    for place in (first, second, odd):
        place.mkdir()
    for value, places in (
        (f"{first}", (first,)),
        (f"{first},{second}", (first, second)),
        (f"{first}{os.pathsep}{tmp_path / 'missing'}{os.pathsep}{second}", (first, second)),
        (f"{odd}", (odd,)),
        (first.as_uri(), (first,)),
        ("", ()),
        ("relative", ()),
    ):
        assert of_variables({"WORKSPACE_FOLDER_PATHS": value}) == places
    both = {"CLAUDE_PROJECT_DIR": str(first), "WORKSPACE_FOLDER_PATHS": f"{first},{second}"}
    assert of_variables(both) == (first, second)
