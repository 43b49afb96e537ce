from __future__ import annotations

import re
from pathlib import Path

import pytest

from heimdall.doctor import variables
from heimdall.doctor.finding import Request, Status

ROOT = Path(__file__).parents[3]


def test_every_variable_that_the_code_reads_is_known() -> None:
    sources = {*ROOT.glob("heimdall/**/*.py"), *ROOT.glob("cognitive_memory/**/*.py")} - {
        Path(variables.__file__)
    }
    read = {
        name
        for path in sources
        for name in re.findall(r'"(HEIMDALL_[A-Z_]+)"', path.read_text("utf-8"))
    }
    assert read <= variables.OURS
    assert not {name for name in variables.OURS if name not in read}, "each is read somewhere"


def test_what_is_set_is_named_when_all_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEIMDALL_FETCH", "never")
    monkeypatch.delenv("HEIMDALL_SYSTEM_MODELS")
    (found,) = variables.check(Request())
    assert (found.status, found.path) == (Status.PASS, "HEIMDALL_FETCH")


def test_a_token_that_goes_to_another_host() -> None:
    environment = {"HEIMDALL_GITHUB_URL": "https://ghe.example.com", "GITHUB_TOKEN": "verysecret"}
    (found,) = variables.judge(environment)
    assert found.key == "variables.GITHUB_TOKEN"
    assert "sent to ghe.example.com" in found.message
    assert "verysecret" not in repr(found)
    assert variables.judge({**environment, "HEIMDALL_GITHUB_TOKEN": "other"}) == []
