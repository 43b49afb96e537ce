"""The secret that clients show over HTTP: from `HEIMDALL_MCP_TOKEN`, else made once and kept where only the user reads it."""

from __future__ import annotations

import hmac
import os
import secrets
import stat
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Self

from heimdall.cognitive_system.data_dirs import get_heimdall_data_dir
from heimdall.errors import HeimdallError
from heimdall.models.files import write_atomically

VARIABLE = "HEIMDALL_MCP_TOKEN"
FILE_NAME = "mcp-token"
_SHORTEST = 16


class TokenError(HeimdallError):
    """There is no token that can be used; the text says what to do, and never the token."""


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token.

    Attributes:
        origin: where it is from, for people who have to tell it to a client.
    """

    secret: str = field(repr=False)
    origin: str

    @classmethod
    def obtain(cls) -> Self:
        """The variable's token, else the file's, which is made if there is none.

        Raises:
            TokenError: it is too short, has characters that a header can't carry, or others can read or write it.
            OSError: the file can't be read or made.
        """
        if (named := os.environ.get(VARIABLE, "").strip()) or VARIABLE in os.environ:
            return cls(_checked(named, f"${VARIABLE}"), f"${VARIABLE}")
        path = get_heimdall_data_dir() / FILE_NAME
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            # Whole or not at all; of several processes that do it at once, the first one's stays.
            write_atomically(path, f"{secrets.token_urlsafe(32)}\n", mode=0o600, replace=False)
        return cls(_checked(_read(path), str(path)), str(path))

    def matches(self, shown: str) -> bool:
        """Whether it is this one. The time it takes tells nothing about the token."""
        # Digests have one length: that of the token is not told either.
        return hmac.compare_digest(
            sha256(self.secret.encode()).digest(),
            sha256(shown.encode("latin-1", "replace")).digest(),
        )


def _checked(secret: str, origin: str) -> str:
    if len(secret) < _SHORTEST or not all("!" <= character <= "~" for character in secret):
        raise TokenError(
            f"{origin} has no token that can be used: expected at least {_SHORTEST} printable ASCII characters without "
            "blanks. Set another one, for example by: python -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
    return secret


def _read(path: Path) -> str:
    with path.open(encoding="ascii", errors="replace") as stream:
        status = os.fstat(stream.fileno())
        if os.name != "nt" and (
            status.st_uid not in {os.getuid(), 0} or stat.S_IMODE(status.st_mode) & 0o077
        ):
            raise TokenError(
                f"{path} can be read or changed by others (mode {stat.S_IMODE(status.st_mode):o}), so its token is no "
                "secret any more. Remove the file; the next start makes a new one. Where the same is said of that one, the volume "
                f"keeps no modes: set {VARIABLE}, or HEIMDALL_DATA_DIR to a directory on one that does."
            )
        return stream.read(1000).strip()
