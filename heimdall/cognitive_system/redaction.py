"""Taking secrets out of a text that will be kept or shown."""

from __future__ import annotations

import os
import re

HIDDEN = "[hidden]"
_URL = re.compile(
    r"(?P<start>[a-z][a-z0-9+.-]*://)(?:[^\s/?#'\"<>]*@)?(?P<place>[^\s?#'\"<>]*)(?P<rest>[?#][^\s'\"<>]*)?",
    re.IGNORECASE,
)
_TOKEN = re.compile(
    r"\b(?:gh[pousr]_|github_pat_|hf_|glpat-|pypi-|xox[abprs]-|sk-|AKIA)[A-Za-z0-9_\-]{8,}|\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"
)
_NAMED = re.compile(
    r"(?P<name>\b(?:authorization|proxy-authorization|api[-_ ]?key|token|secret|password|passwd|signature)\b['\"]?\s*[:=]\s*)"
    r"['\"]?(?:(?:basic|bearer|token)\s+)?[^\s'\",;&]+",
    re.IGNORECASE,
)
_BEARER = re.compile(r"\b(?P<kind>basic|bearer) +[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)
_SECRET_VARIABLE = re.compile(r"(?:TOKEN|SECRET|PASSWORD|PASSWD|KEY|CREDENTIALS?)$", re.IGNORECASE)
_SHORTEST = 6  # shorter values are words, numbers and placeholders that would be hidden everywhere


def redacted(text: str) -> str:
    """The text without what may be secret.

    Hidden are: users, passwords, queries and fragments of URLs (signatures are there), tokens by the form that GitHub,
    Hugging Face and others give them, what follows words as `authorization:` and `password=`, and the values of
    environment variables whose name ends in `TOKEN`, `SECRET`, `PASSWORD`, `KEY` or the like.
    """
    for value in _secret_values():
        text = text.replace(value, HIDDEN)
    text = _URL.sub(_plain_url, text)
    text = _NAMED.sub(rf"\g<name>{HIDDEN}", text)
    text = _BEARER.sub(rf"\g<kind> {HIDDEN}", text)
    return _TOKEN.sub(HIDDEN, text)


def _plain_url(match: re.Match[str]) -> str:
    rest = f"{match['rest'][0]}{HIDDEN}" if match["rest"] else ""
    return f"{match['start']}{match['place']}{rest}"


def _secret_values() -> list[str]:
    values = (value.strip() for name, value in os.environ.items() if _SECRET_VARIABLE.search(name))
    return sorted((value for value in values if len(value) >= _SHORTEST), key=len, reverse=True)
