"""Secrets in texts are replaced before anything is stored: a memory is read aloud to a language model."""

from __future__ import annotations

import re
from functools import partial
from typing import NamedTuple


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


_KINDS = (
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


def redact(text: str) -> tuple[str, int]:
    """Replace what looks like a secret by a word that says what it was.

    Known are private keys, the tokens of well-known services by their fixed prefixes (as their publishers describe them
    for secret scanning), passwords in URLs, bearer tokens, and quoted values of what is named like a secret. What has no
    such form is not recognised.

    Returns:
        The text, with its number of lines, and how many secrets were replaced.
    """
    count = 0

    def replacement(name: str, match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        found = match.group()
        word = f"[redacted {name}]"
        value = match.groupdict().get("value")
        if value is not None:
            return found.replace(value, word)
        return word + "\n" * found.count("\n")

    lowered = text.lower()
    for kind in _KINDS:
        if any(hint in lowered for hint in kind.hints):
            text = kind.pattern.sub(partial(replacement, kind.name), text)
    return text, count
