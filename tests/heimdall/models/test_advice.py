from __future__ import annotations

from pathlib import Path

from heimdall.models.advice import argument, how_to_set, take_over


def test_windows_has_its_own_words() -> None:
    assert take_over(Path("x y"), windows=False) == "make it writable for you (chown)"
    assert 'icacls "x y" /grant' in take_over(Path("x y"), windows=True)
    assert how_to_set("HEIMDALL_FETCH", windows=False) == ""
    said = how_to_set("HEIMDALL_FETCH", windows=True)
    assert "set HEIMDALL_FETCH=" in said
    assert "$env:HEIMDALL_FETCH = " in said


def test_a_path_is_typed_as_the_shells_there_read_it() -> None:
    assert argument("/home/jo doe", windows=False) == "'/home/jo doe'"
    assert argument(r"C:\Users\jo\p-1", windows=True) == r"C:\Users\jo\p-1"
    assert argument(r"C:\Users\Jo Doe", windows=True) == r'"C:\Users\Jo Doe"'
