from __future__ import annotations

import pytest
from hypothesis import given

from cognitive_memory.ingest.redaction import redact
from tests.cognitive_memory.ingest.texts import texts

KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAK\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "secret", "word"),
    [
        ("x ghp_" + "A1" * 18 + " y", "ghp_", "GitHub token"),
        ("x github_pat_" + "A1_" * 20 + " y", "github_pat_", "GitHub token"),
        ("glpat-" + "a" * 20, "glpat-", "GitLab token"),
        ("id AKIA" + "ABCDEFGH" * 2 + ".", "AKIA", "AWS access key"),
        ("AIza" + "a" * 35, "AIza", "Google API key"),
        ("xoxb-123456789012-abcdef", "xoxb", "Slack token"),
        ("https://hooks.slack.com/services/T000/B000/" + "x" * 24, "T000", "Slack webhook"),
        ("sk_live_" + "a1" * 12, "sk_live", "Stripe key"),
        ("sk-ant-api03-" + "a" * 40, "sk-ant", "Anthropic key"),
        ("sk-proj-" + "a" * 40, "sk-proj", "OpenAI key"),
        ("hf_" + "aB" * 17, "hf_", "Hugging Face token"),
        ("npm_" + "a1" * 18, "npm_", "npm token"),
        ("pypi-" + "AgEIcHlwaS5vcmc" * 5, "pypi-", "package index token"),
        ("AccountKey=" + "a" * 86 + "==", "aaaa", "Azure storage key"),
        ("eyJhbGciOiJI.eyJzdWIiOiIx." + "a" * 20, "eyJ", "JSON web token"),
        ("postgres://app:hunter22@db.example.org/x", "hunter22", "password"),
        ("Authorization: Bearer " + "a" * 30, "aaaa", "password"),
        ('password = "correct-horse"', "horse", "password"),
        ("API_KEY: 'abcdefgh12345'", "abcdefgh", "password"),
        (f"before\n{KEY}\nafter", "MIIEow", "private key"),
        ("-----BEGIN PRIVATE KEY-----\nMIIEow and no end", "MIIEow", "private key"),
    ],
)
def test_secrets_are_replaced(text: str, secret: str, word: str) -> None:
    redacted, count = redact(text)
    assert count == 1
    assert secret not in redacted
    assert f"[redacted {word}]" in redacted
    assert redacted.count("\n") == text.count("\n")


@pytest.mark.parametrize(
    "text",
    [
        "git@github.com:owner/name.git",
        "https://example.org:8080/path@2",
        "https://user@example.org",
        "postgres://user:$PASSWORD@host/db",
        "password = os.environ['PASSWORD']",
        'password="{{ vault }}"',
        "0123456789abcdef" * 4,
        "the token bucket; a secret garden; AKIA",
        "sk-learn is a word, and ghp_short too",
        "data:image/png;base64,iVBORw0KGgo=",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == (text, 0)


def test_what_stands_around_a_password_stays() -> None:
    assert redact("x://a:longword@h y")[0] == "x://[redacted password]@h y"
    assert redact('secret_key: "longword1"')[0] == 'secret_key: "[redacted password]"'


@given(texts())
def test_lines_stay(text: str) -> None:
    assert redact(text)[0].count("\n") == text.count("\n")
