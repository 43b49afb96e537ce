"""What is a secret, and how a URL, a message or a document is shown or kept without it.

The kinds of secrets are rows of `secrets.ini`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

HIDDEN = "[redacted]"


class _Kind(NamedTuple):
    """A kind of secret, as `secrets.ini` describes it."""

    name: str
    hints: tuple[str, ...]
    expression: str
    likely: bool

    @property
    def pattern(self) -> re.Pattern[str]:
        """Compiled when a text has a hint: that takes longer than to look through a short text."""
        return re.compile(self.expression, re.DOTALL)


@cache
def _kinds() -> list[_Kind]:
    # Read with the first text: most commands have none.
    from configparser import ConfigParser
    from importlib import resources

    table = ConfigParser(interpolation=None)
    table.read_string((resources.files(__package__) / "secrets.ini").read_text("utf-8"))
    return [
        _Kind(
            name=title.partition(":")[0],
            hints=tuple(row["hints"].split()),
            expression=row["pattern"],
            likely=row.getboolean("likely", False),
        )
        for title, row in table.items()
        if title != table.default_section
    ]


_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
# A password may hold what ends a URL in a text; the bound keeps the time linear.
_BEHIND_SCHEME = re.compile(r"(?<=://)(?:[^\s@]{0,256}@)*[^\s'\"<>]*")
_SECRET_VARIABLE = re.compile(r"(?:TOKEN|SECRET|PASSWORD|PASSWD|KEY|CREDENTIALS?)$", re.IGNORECASE)
_HEADER_VARIABLE = "HEIMDALL_MIRROR_HEADER"  # `Name: value`
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
    return _redact(text, _kinds())[0]


def redact_document(text: str) -> tuple[str, int]:
    """A text that is kept and read by others, without what is certainly a secret.

    Known are private keys, the tokens of well-known services by their fixed prefixes, passwords in URLs, bearer tokens,
    and quoted values of what is named like a secret. What has no such form is not recognised.

    Returns:
        The text, with its number of lines, and how many secrets were replaced.
    """
    return _redact(text, (kind for kind in _kinds() if not kind.likely))


def _redact(text: str, kinds: Iterable[_Kind]) -> tuple[str, int]:
    count = 0
    lowered = text.lower()
    for kind in kinds:
        if not any(hint in lowered for hint in kind.hints):
            continue
        word = f"[redacted {kind.name}]"
        pieces, end = [], 0
        pattern = kind.pattern
        for match in pattern.finditer(text):
            start, stop = match.span("value" if "value" in pattern.groupindex else 0)
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
    path = re.split(r"[;?#]", beyond, maxsplit=1)[0]
    # A password may hold what ends a host: `user:pa/ss@host` looks like a port and a path.
    is_cut_password = not at and ":" in authority and "@" in beyond
    if is_cut_password or ":" in path.rpartition("@")[0]:
        return HIDDEN
    return f"{host}{path}"


def _secret_values() -> list[str]:
    values = [value.strip() for name, value in os.environ.items() if _SECRET_VARIABLE.search(name)]
    values.append(os.environ.get(_HEADER_VARIABLE, "").partition(":")[2].strip())
    return sorted((value for value in values if len(value) >= _SHORTEST), key=len, reverse=True)
