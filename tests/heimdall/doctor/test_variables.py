from __future__ import annotations

import re
from pathlib import Path

import pytest

from heimdall.doctor import variables
from heimdall.doctor.finding import Request, Status

ROOT = Path(__file__).parents[3]


def test_every_variable_that_the_code_reads_is_known() -> None:
    sources = {
        path
        for package in ("heimdall", "cognitive_memory")
        for path in (ROOT / package).rglob("*.py")
        if path.name != "variables.py"  # where they are listed
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


FAIL, WARN = Status.FAIL, Status.WARN


@pytest.mark.parametrize(
    ("environment", "variable", "status", "words"),
    [
        ({"HEIMDALL_OFFLINE": "perhaps"}, "HEIMDALL_OFFLINE", FAIL, "expected 1, true"),
        ({"HEIMDALL_SOURCES": "mirror,githup"}, "HEIMDALL_SOURCES", FAIL, "githup"),
        ({"HEIMDALL_SOURCES": "github"}, "HEIMDALL_SOURCES", WARN, "leaves mirrors out"),
        ({"HEIMDALL_MODELS_MIRROR": ""}, "HEIMDALL_SOURCES", FAIL, "nobody is asked"),
        ({"HEIMDALL_MODELS_MIRROR": "ftp://a/b"}, "HEIMDALL_MODELS_MIRROR", FAIL, "https://"),
        (
            {"HEIMDALL_MODELS_MIRROR": "file:///no/x"},
            "HEIMDALL_MODELS_MIRROR",
            WARN,
            "no such folder",
        ),
        ({"HEIMDALL_HTTP_TIMEOUT": "soon"}, "HEIMDALL_HTTP_TIMEOUT", FAIL, "positive number"),
        ({"HEIMDALL_LOCK_TIMEOUT": "-1"}, "HEIMDALL_LOCK_TIMEOUT", FAIL, "positive number"),
        ({"HEIMDALL_LOG_LEVEL": "loud"}, "HEIMDALL_LOG_LEVEL", FAIL, "expected one of debug, info"),
        ({"HEIMDALL_PROGRESS": "some"}, "HEIMDALL_PROGRESS", FAIL, "1, true"),
        (
            {"HEIMDALL_SOURCES": "mirror,github", "HEIMDALL_GITHUB_URL": "github.example.com"},
            "HEIMDALL_GITHUB_URL",
            FAIL,
            "https://",
        ),
        ({"HEIMDALL_GITHUB_URL": "https://a.b"}, "HEIMDALL_GITHUB_URL", WARN, "leaves GitHub out"),
        (
            {"HEIMDALL_SOURCES": "mirror,github", "HEIMDALL_GITHUB_TOKEN": "a b"},
            "HEIMDALL_GITHUB_TOKEN",
            FAIL,
            "without blanks",
        ),
        (
            {"HEIMDALL_MODEL_MIRROR": "x"},
            "HEIMDALL_MODEL_MIRROR",
            WARN,
            "is HEIMDALL_MODELS_MIRROR meant?",
        ),
        (
            {"HEIMDALL_OFFLINE": "1", "HEIMDALL_FETCH": "use"},
            "HEIMDALL_FETCH",
            WARN,
            "HEIMDALL_OFFLINE forbids",
        ),
        (
            {"HEIMDALL_OFFLINE": "0", "HF_HUB_OFFLINE": "1"},
            "HF_HUB_OFFLINE",
            WARN,
            "HF_HUB_OFFLINE forbids",
        ),
        (
            {"HEIMDALL_SOURCES": "github", "HEIMDALL_MODELS_MIRROR": "", "HEIMDALL_OFFLINE": "1"},
            "HEIMDALL_OFFLINE",
            WARN,
            "HEIMDALL_SOURCES choose where to fetch from, but HEIMDALL_OFFLINE forbids",
        ),
        ({"HF_HUB_OFFLINE": "si"}, "HF_HUB_OFFLINE", FAIL, "1, true"),
        (
            {"HEIMDALL_SYSTEM_MODELS": str(Path("/nowhere").absolute())},
            "HEIMDALL_SYSTEM_MODELS",
            WARN,
            "not there",
        ),
        (
            {"HEIMDALL_PROJECT": str(Path("/nowhere").absolute())},
            "HEIMDALL_PROJECT",
            WARN,
            "not there",
        ),
        ({"https_proxy": "http://a:1", "HTTPS_PROXY": "http://b:2"}, "HTTPS_PROXY", WARN, "differ"),
    ],
)
def test_what_contradicts_or_means_nothing_is_named_once(
    environment: dict[str, str], variable: str, status: Status, words: str, tmp_path: Path
) -> None:
    sound = {"HEIMDALL_MODELS_MIRROR": tmp_path.as_uri(), "HEIMDALL_SOURCES": "mirror"}
    assert variables.judge(sound) == []
    (found,) = variables.judge({**sound, **environment})
    assert (found.key, found.status) == (f"variables.{variable}", status)
    assert words in found.message
    assert found.advice, "it says what to do"
