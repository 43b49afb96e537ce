from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heimdall.models.secrets import redact_document, redact_message, redact_url
from tests.cognitive_memory.ingest.texts import texts

SECRET = "s3cr3tS3cr3t"
BEGINNINGS = [
    "npm_",
    "AIza",
    "sk_live_",
    "rk_test_",
    "glrt-",
    "glpat-",
    "gldt-",
    "glsoat-",
    "xapp-",
    "whsec_",
    "ya29.",
    "GOCSPX-",
    "SG.",
    "ASIA",
]


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
        f"asked http://a/b]@u:{SECRET}@/",
        f"http://u:'{SECRET}'@h/",
        f'http://u:"{SECRET}@h/',
        f"http://u:<{SECRET}>@h/",
        f"http://u:p@{SECRET}@h/",
        f"http:/u:{SECRET}@h/x",
        f"//u:{SECRET}@h/x",
        f"u:{SECRET}@h:80",
        f"https://h/p;token={SECRET}",
        *(f"token {start}{SECRET}{SECRET}" for start in BEGINNINGS),
        f"-----BEGIN OPENSSH PRIVATE KEY-----\\n{SECRET}\\n",
    ],
)
def test_secrets_in_messages_are_hidden(text: str) -> None:
    assert SECRET not in redact_message(text)
    assert "[redacted" in redact_message(text) or "@" not in redact_message(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://github.com/owner/name/releases/download/v1/models.zip",
        "http://[::1]:8080/path: connection refused",
        "/home/you/.local/share/heimdall",
        "10 of 12 memories embedded, 3 tokens cut",
        "at 12:30 git@github.com:owner/name.git was asked, line 3: me@example.com",
        "{'url': 'https://host/a', 'other': 'https://host:80/b'}",
        "file:///mnt/share",
        "me@example.com is no URL",
    ],
)
def test_the_rest_of_a_message_is_kept(text: str) -> None:
    assert redact_message(text) == text


def test_values_of_secret_variables_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QDRANT_API_KEY", "plainlooking")
    monkeypatch.setenv("MY_PASSWORD", "short")
    monkeypatch.setenv("MAX_TOKENS", "100000")
    assert redact_message("with plainlooking, short, 100000") == "with [redacted], short, 100000"


@given(st.text(), st.text(alphabet="abcXYZ0189", min_size=12, max_size=40))
def test_a_password_in_a_url_never_stays(around: str, secret: str) -> None:
    text = f"{around} https://user:{secret}@host/x {around}"
    assert f"user:{secret}@" not in redact_message(text)


KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAK\n-----END RSA PRIVATE KEY-----"


CERTAIN = [
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
    ("smtp://me@example.org:hunter22@mail.example.org", "hunter22", "password"),
    ("ssh://me:hunter@22@host.example.org", "hunter", "password"),
    ("Authorization: Bearer " + "a" * 30, "aaaa", "password"),
    ('password = "correct-horse"', "horse", "password"),
    ("API_KEY: 'abcdefgh12345'", "abcdefgh", "password"),
    (f"before\n{KEY}\nafter", "MIIEow", "private key"),
    ("-----BEGIN PRIVATE KEY-----\nMIIEow and no end", "MIIEow", "private key"),
]


@pytest.mark.parametrize(("text", "secret", "word"), CERTAIN)
def test_secrets_in_documents_are_replaced(text: str, secret: str, word: str) -> None:
    kept, count = redact_document(text)
    assert count == 1
    assert secret not in kept
    assert f"[redacted {word}]" in kept
    assert kept.count("\n") == text.count("\n")


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
def test_what_is_no_secret_stays_in_a_document(text: str) -> None:
    assert redact_document(text) == (text, 0)


def test_what_stands_around_a_password_stays() -> None:
    assert redact_document("x://a:longword@h y")[0] == "x://[redacted password]@h y"
    assert redact_document('secret_key: "longword1"')[0] == 'secret_key: "[redacted password]"'


@given(texts())
def test_a_document_keeps_its_lines(text: str) -> None:
    assert redact_document(text)[0].count("\n") == text.count("\n")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://u:p@h.example:8443/a/b?sig=x#f", "https://h.example:8443/a/b"),
        ("http://[::1]:80/a", "http://[::1]:80/a"),
        ("file:///srv/models", "file:///srv/models"),
        ("u:p@h.example/a?x", "h.example/a"),
        ("http://[bad", "http://[bad"),
    ],
)
def test_redact_url(url: str, shown: str) -> None:
    assert redact_url(url) == shown


@given(st.text(), st.sampled_from(["https", "http"]))
def test_redacted_urls_hold_no_credentials(path: str, scheme: str) -> None:
    assert "hunter2" not in redact_url(f"{scheme}://user:hunter2@h.example/{path}")


@pytest.mark.parametrize(("text", "secret", "word"), CERTAIN)
def test_a_message_hides_what_a_document_does(text: str, secret: str, word: str) -> None:
    assert secret not in redact_message(text).replace("/services/[redacted", "")


@pytest.mark.parametrize(
    "url",
    [
        "http://a/b]@u:hunter2@/",
        "https://u:hunter2/x@h.example",
        "https://u:hunter2?x@h.example/",
        "https://u:hunter2#x@h.example/",
        "https://u@v:hunter2@h.example/",
    ],
)
def test_odd_urls_hide_their_password(url: str) -> None:
    assert "hunter2" not in redact_url(url)
    assert "hunter2" not in redact_message(f"asked {url} twice")


def test_a_password_without_a_scheme_before_it_is_hidden_where_a_url_is_meant() -> None:
    assert redact_url("u:hunter2@h/?next=https://x") == "h/"


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "http",
        "eyJ-",
        "-eyJaaaaaaaa",
        "token='",
        "-----BEGIN ",
        "PRIVATE KEY",
        "x://a:",
        "://'",
        "://a@'",
        "a:",
        "a:b@",
        "sk-",
        "gla",
        "eyJaaaaaaaa.",
        "password='",
        "Bearer ",
        "=",
        " ",
    ],
)
def test_a_large_text_of_what_looks_like_a_beginning_is_no_work(piece: str) -> None:
    """With a pattern that is quadratic in the text's length this takes minutes."""
    text = f"{piece * (400_000 // len(piece))}\n{CERTAIN[0][0]}"
    assert CERTAIN[0][1] not in redact_message(text)
    assert CERTAIN[0][1] not in redact_document(text)[0]
