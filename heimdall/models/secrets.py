"""What is a secret, and how a URL, a message or a document is shown or kept without it.

Every pattern is bounded or consumes what it looked at, so the time is linear in the text's length.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import NamedTuple

HIDDEN = "[redacted]"


class _Kind(NamedTuple):
    """A kind of secret.

    Attributes:
        name: what it is called in the text that replaces it.
        hints: one of these is in every text with such a secret, in lower case: looked for first, which is quick.
        pattern: the secret, or what has it as its group `value`.
    """

    name: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]


def _kind(name: str, hints: str, pattern: str) -> _Kind:
    return _Kind(name, tuple(hints.split()), re.compile(pattern, re.DOTALL))


# The forms of tokens are those that their publishers describe for secret scanning.
_CERTAIN = (
    _kind(
        "private key",
        "private",
        r"-----BEGIN (?P<kind>[A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?)-----.*?(?:-----END (?P=kind)-----|\Z)",
    ),
    _kind(
        "GitHub token",
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
        r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{50,255})\b",
    ),
    _kind(
        "GitLab token",
        "glpat- gldt- glrt- glptt- glcbt-",
        r"\bgl(?:pat|dt|rt|ptt|cbt)-[A-Za-z0-9_-]{20,}",
    ),
    _kind("AWS access key", "akia asia abia acca", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b"),
    _kind("Google API key", "aiza", r"\bAIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
    _kind(
        "Google OAuth secret",
        "ya29. gocspx-",
        r"\b(?:ya29\.[A-Za-z0-9_-]{20,}|GOCSPX-[A-Za-z0-9_-]{28})",
    ),
    _kind(
        "Slack token", "xox xapp-", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}|\bxapp-\d-[A-Za-z0-9-]{10,}"
    ),
    _kind(
        "Slack webhook",
        "hooks.slack.com",
        r"https://hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/_-]{20,}",
    ),
    _kind(
        "Stripe key",
        "sk_live_ sk_test_ rk_live_ rk_test_ whsec_",
        r"\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}\b|\bwhsec_[A-Za-z0-9+/=]{32,}",
    ),
    _kind("Anthropic key", "sk-ant-", r"\bsk-ant-[A-Za-z0-9_-]{20,}"),
    _kind(
        "OpenAI key",
        "sk-",
        r"\bsk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{20,}|\bsk-[A-Za-z0-9]{32,}\b",
    ),
    _kind("Hugging Face token", "hf_", r"\bhf_[A-Za-z0-9]{30,}\b"),
    _kind("npm token", "npm_", r"\bnpm_[A-Za-z0-9]{36}\b"),
    _kind("package index token", "pypi-", r"\bpypi-[A-Za-z0-9_-]{50,}"),
    _kind("SendGrid key", "sg.", r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),
    _kind("Azure storage key", "accountkey=", r"(?<=AccountKey=)[A-Za-z0-9+/]{64,}={0,2}"),
    _kind(
        "JSON web token",
        "eyj",
        r"\beyJ[A-Za-z0-9_-]{8,512}\.eyJ[A-Za-z0-9_-]{8,8192}\.[A-Za-z0-9_-]{16,}",
    ),
    _kind(
        "password", "://", r"(?<=://)[^\s:/@\"']{0,64}:[^\s:/@\"'<>$*{}]{3,256}(?=@[A-Za-z0-9.\[-])"
    ),
    _kind("password", "bearer", r"(?<=Bearer )[A-Za-z0-9._~+/-]{20,}=*"),
    _kind(
        "password",
        "password passwd secret key token",
        r"(?i:(?:password|passwd|secret|api_?key|access_?key|auth_?token)\w{0,20}[\"']?\s{0,3}[:=]\s{0,3})"
        r"(?P<quote>[\"'])(?P<value>(?!\{|\$|<|%)[^\s\"']{8,256})(?P=quote)",
    ),
)
"""What is a secret wherever it stands; each is recognised so narrowly that ordinary prose and code are left alone."""

_LIKELY = (
    _kind(
        "token",
        "gh github_pat_ hf_ glpat- pypi- xox sk- akia",
        r"\b(?:gh[pousr]_|github_pat_|hf_|glpat-|pypi-|xox[abprs]-|sk-|AKIA)[A-Za-z0-9_-]{8,}",
    ),
    _kind("token", "eyj", r"\beyJ[A-Za-z0-9_-]{8,512}\.[A-Za-z0-9_.-]+"),
    _kind(
        "value",
        "authorization key token secret passw signature",
        r"(?i:\b(?:(?:proxy-)?authorization|api[-_ ]?key|token|secret|password|passwd|signature)\b"
        r"[\"']?\s{0,8}[:=]\s{0,8})"
        r"(?P<value>\"[^\"\n]*|'[^'\n]*|(?i:(?:basic|bearer|token)\s{1,8})?[^\s\"',;&]+)",
    ),
    _kind(
        "value", "basic bearer", r"(?i:\b(?:basic|bearer) {1,8})(?P<value>[A-Za-z0-9._~+/=-]{8,})"
    ),
)
"""What is hidden in messages besides: there, hiding too much costs little."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_BEHIND_SCHEME = re.compile(r"(?<=://)[^\s'\"<>]+")
_SECRET_VARIABLE = re.compile(r"(?:TOKEN|SECRET|PASSWORD|PASSWD|KEY|CREDENTIALS?)$", re.IGNORECASE)
_SHORTEST = 6  # shorter values are words, numbers and placeholders that would be hidden everywhere


def redact_url(url: str) -> str:
    """A URL, or what was meant as one, without user, password, query and fragment.

    >>> redact_url("https://me:secret@example.com:8443/models/v1.zip?signature=abc")
    'https://example.com:8443/models/v1.zip'
    """
    scheme, separator, rest = url.partition("://")
    if separator and _SCHEME.fullmatch(scheme):
        return f"{scheme}{separator}{_location(rest)}"
    return _location(url)


def redact_message(text: str) -> str:
    """A message or log record without what may be secret.

    Hidden are: users, passwords, queries and fragments of URLs (signatures are there), tokens by their form, private
    keys, what follows words as `authorization:` and `password=`, and the values of environment variables whose name
    ends in `TOKEN`, `SECRET`, `PASSWORD`, `KEY` or the like.

    >>> redact_message("GET https://example.com/v1?key=1 with Authorization: Bearer abcdefgh")
    'GET https://example.com/v1 with Authorization: [redacted value]'
    """
    for value in _secret_values():
        text = text.replace(value, HIDDEN)
    text = _BEHIND_SCHEME.sub(lambda match: _location(match[0]), text)
    return _redact(text, _CERTAIN + _LIKELY)[0]


def redact_document(text: str) -> tuple[str, int]:
    """A text that is kept and read by others, without what is certainly a secret.

    Known are private keys, the tokens of well-known services by their fixed prefixes, passwords in URLs, bearer tokens,
    and quoted values of what is named like a secret. What has no such form is not recognised.

    Returns:
        The text, with its number of lines, and how many secrets were replaced.
    """
    return _redact(text, _CERTAIN)


def _redact(text: str, kinds: Iterable[_Kind]) -> tuple[str, int]:
    count = 0
    lowered = text.lower()
    for kind in kinds:
        if not any(hint in lowered for hint in kind.hints):
            continue
        word = f"[redacted {kind.name}]"
        pieces, end = [], 0
        for match in kind.pattern.finditer(text):
            start, stop = match.span("value" if "value" in kind.pattern.groupindex else 0)
            pieces += [text[end:start], word, "\n" * text.count("\n", start, stop)]
            end = stop
            count += 1
        text = "".join([*pieces, text[end:]]) if pieces else text
    return text, count


def _location(rest: str) -> str:
    """What stands behind `://`, as host, port and path alone."""
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    _, at, host = authority.rpartition("@")
    beyond = rest[len(authority) :]
    path = re.split(r"[?#]", beyond, maxsplit=1)[0]
    # A password may hold what ends a host: `user:pa/ss@host` looks like a port and a path.
    is_cut_password = not at and ":" in authority and "@" in beyond
    if is_cut_password or ":" in path.rpartition("@")[0]:
        return HIDDEN
    return f"{host}{path}"


def _secret_values() -> list[str]:
    values = (value.strip() for name, value in os.environ.items() if _SECRET_VARIABLE.search(name))
    return sorted((value for value in values if len(value) >= _SHORTEST), key=len, reverse=True)
