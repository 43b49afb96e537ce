from __future__ import annotations

from pathlib import Path

from heimdall.models.advice import how_to_set, take_over


def test_windows_has_its_own_words() -> None:
    assert take_over(Path("x y"), windows=False) == "make it writable for you (chown)"
    assert 'icacls "x y" /grant' in take_over(Path("x y"), windows=True)
    assert how_to_set("HEIMDALL_FETCH", windows=False) == ""
    said = how_to_set("HEIMDALL_FETCH", windows=True)
    assert "set HEIMDALL_FETCH=" in said
    assert "$env:HEIMDALL_FETCH = " in said
