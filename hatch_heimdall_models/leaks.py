"""What must not be pinned because it would be published: secrets inside files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hatch_heimdall_models.files import CHUNK

if TYPE_CHECKING:
    from pathlib import Path

_KINDS = (
    (
        "a URL with a password",
        b"://",
        rb"[a-z]://[^\s/:@\"'<>\x00-\x1f]{1,64}:[^\s/:@\"'<>\x00-\x1f\x7f-\xff]{6,256}@[a-z0-9]",
    ),
    ("a private key", b"-----BEGIN ", rb"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----"),
    ("a token of GitHub", b"gh", rb"gh[pousr]_[A-Za-z0-9]{36}"),
    ("a token of GitHub", b"github_pat_", rb"github_pat_[A-Za-z0-9_]{40}"),
    ("a token of GitLab", b"glpat-", rb"glpat-[A-Za-z0-9_-]{20}"),
    ("a token of Hugging Face", b"hf_", rb"\bhf_[A-Za-z0-9]{34}\b"),
    ("a token of PyPI", b"pypi-AgE", rb"pypi-AgE[A-Za-z0-9_-]{50}"),
    ("a key of AWS", b"AKIA", rb"\bAKIA[0-9A-Z]{16}\b"),
    ("a token of Slack", b"xox", rb"xox[abprs]-[0-9]{8,}-[A-Za-z0-9-]{10,}"),
)
_OVERLAP = 512
"""Bytes of a chunk that are looked at again with the next: more than any of these is long."""


def secret_in(path: Path) -> str | None:
    """What kind of secret the file holds, or None."""
    before = b""
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            text = before + chunk
            for kind, hint, pattern in _KINDS:
                # Looking for plain bytes is many times as fast, and finds none in most files.
                if hint in text and re.search(pattern, text):
                    return kind
            before = text[-_OVERLAP:]
    return None
