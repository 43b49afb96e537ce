from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heimdall.cognitive_system.redaction import redacted

SECRET = "s3cr3tS3cr3t"


@pytest.mark.parametrize(
    "text",
    [
        f"https://me:{SECRET}@host/path",
        f"https://{SECRET}@host",
        f"HTTP://me:p@{SECRET}@host/path",
        f"fetched https://host/asset?X-Amz-Signature={SECRET}&x=1 in 3 s",
        f"'https://host/a#{SECRET}'",
        f"Authorization: Bearer {SECRET}",
        f"{{'authorization': 'token {SECRET}'}}",
        f"authorization=Basic {SECRET}==",
        f"password={SECRET} next",
        f"api_key: '{SECRET}'",
        f"got ghp_{SECRET}abcdef from somewhere",
        f"github_pat_{SECRET}_x",
        f"hf_{SECRET}",
        f"eyJ{SECRET}.{SECRET}.{SECRET}",
        f"bearer {SECRET}",
    ],
)
def test_secrets_are_hidden(text: str) -> None:
    assert SECRET not in redacted(text)
    assert "[hidden]" in redacted(text) or "@" not in redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://github.com/owner/name/releases/download/v1/models.zip",
        "http://[::1]:8080/path: connection refused",
        "/home/you/.local/share/heimdall",
        "10 of 12 memories embedded, 3 tokens cut",
        "file:///mnt/share",
        "me@example.com is no URL",
    ],
)
def test_the_rest_is_kept(text: str) -> None:
    assert redacted(text) == text


def test_values_of_secret_variables_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QDRANT_API_KEY", "plainlooking")
    monkeypatch.setenv("MY_PASSWORD", "short")
    monkeypatch.setenv("MAX_TOKENS", "100000")
    assert redacted("with plainlooking, short, 100000") == "with [hidden], short, 100000"


@given(st.text(), st.text(alphabet="abcXYZ0189", min_size=12, max_size=40))
def test_a_password_in_a_url_never_stays(around: str, secret: str) -> None:
    text = f"{around} https://user:{secret}@host/x {around}"
    assert f"user:{secret}@" not in redacted(text)
