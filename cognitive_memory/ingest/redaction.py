"""Secrets in texts are replaced before anything is stored: a memory is read aloud to a language model."""

from __future__ import annotations

import re
from functools import partial

_PATTERNS = {
    "private key": r"-----BEGIN (?P<kind>[A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?)-----.*?(?:-----END (?P=kind)-----|\Z)",
    "GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{50,255})\b",
    "GitLab token": r"\bgl(?:pat|dt|rt|ptt|cbt)-[A-Za-z0-9_-]{20,}",
    "AWS access key": r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b",
    "Google API key": r"\bAIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])",
    "Google OAuth token": r"\b(?:ya29\.[A-Za-z0-9_-]{20,}|GOCSPX-[A-Za-z0-9_-]{28})",
    "Slack token": r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}|\bxapp-\d-[A-Za-z0-9-]{10,}",
    "Slack webhook": r"https://hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/_-]{20,}",
    "Stripe key": r"\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}\b|\bwhsec_[A-Za-z0-9+/=]{32,}",
    "Anthropic key": r"\bsk-ant-[A-Za-z0-9_-]{20,}",
    "OpenAI key": r"\bsk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{20,}|\bsk-[A-Za-z0-9]{32,}\b",
    "Hugging Face token": r"\bhf_[A-Za-z0-9]{30,}\b",
    "npm token": r"\bnpm_[A-Za-z0-9]{36}\b",
    "package index token": r"\bpypi-[A-Za-z0-9_-]{50,}",
    "SendGrid key": r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}",
    "Azure storage key": r"(?<=AccountKey=)[A-Za-z0-9+/]{64,}={0,2}",
    "JSON web token": r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,}",
    "password": (
        # In a URL, after a bearer's name, and as the quoted or upper-case value of something named like a secret.
        r"(?<=://)[^\s:/@\"']{0,64}:[^\s:/@\"'<>$*{}]{3,256}(?=@[A-Za-z0-9.\[-])"
        r"|(?<=Bearer )[A-Za-z0-9._~+/-]{20,}=*"
        r"|(?i:\b\w{0,40}(?:password|passwd|secret|api_?key|access_?key|auth_?token)\w{0,20}[\"']?\s{0,3}[:=]\s{0,3})"
        r"(?P<quote>[\"'])(?P<value>(?!\{|\$|<|%)[^\s\"']{8,256})(?P=quote)"
    ),
}
_SECRETS = tuple((name, re.compile(pattern, re.DOTALL)) for name, pattern in _PATTERNS.items())


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

    for name, pattern in _SECRETS:
        text = pattern.sub(partial(replacement, name), text)
    return text, count
