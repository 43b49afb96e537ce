from __future__ import annotations

import pytest

from heimdall.models import package
from heimdall.models.package import Package, heimdall


def test_the_variable_is_about_heimdalls_own_model(monkeypatch: pytest.MonkeyPatch) -> None:
    other = Package("other", "/other/manifest.json")
    monkeypatch.delenv("HEIMDALL_MODEL_VARIANT", raising=False)
    assert (heimdall().variant(), other.variant()) == ("standard", "standard")
    monkeypatch.setenv("HEIMDALL_MODEL_VARIANT", "compact")
    assert (heimdall().variant(), other.variant()) == ("compact", "standard")
    assert (heimdall().variant("fast"), other.variant("fast")) == ("fast", "fast")


@pytest.mark.parametrize(
    ("part_of_heimdall", "name", "command"),
    [
        (True, "heimdall", "heimdall models verify --repair"),
        (True, "other", "heimdall models verify --repair --package other"),
        (False, "other", "heimdall-models verify --repair other"),
    ],
)
def test_the_command_that_helps(
    monkeypatch: pytest.MonkeyPatch, part_of_heimdall: bool, name: str, command: str
) -> None:
    monkeypatch.setattr(package, "PART_OF_HEIMDALL", part_of_heimdall)
    assert Package(name, "").command("verify --repair") == command


def test_the_distribution_that_installers_know() -> None:
    assert heimdall().distribution == "heimdall-mcp"
    assert Package("yaml", "").distribution == "PyYAML"
    assert Package("not_installed.at_all", "").distribution == "not_installed.at_all"
