from __future__ import annotations

import pytest

import heimdall.models as package


def test_every_public_name_is_there() -> None:
    for name in package.__all__:
        assert getattr(package, name).__name__ == name
    assert set(package.__all__) <= set(dir(package))
    assert "errors" in dir(package), "what was imported is listed too"
    with pytest.raises(AttributeError, match=r"'heimdall.models' has no attribute 'nothing'"):
        _ = package.nothing
