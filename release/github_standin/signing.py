"""Signed URLs that expire, in the form of the ones that GitHub's asset host takes."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

EXPIRY = "se"
SIGNATURE = "sig"
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


class SignatureRefused(ValueError):  # noqa: N818 - a refusal is an answer here, not a failure
    """A URL without a valid signature; its text is the explanation for the client."""


class Signer:
    """Signs paths with their query parameters, and checks what it signed.

    Args:
        secret: the HMAC key; who knows it can sign.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def sign(self, path: str, parameters: Mapping[str, str], *, expires: float) -> str:
        """A query string that lets `path` be had until `expires` (seconds since the epoch, whole seconds count).

        Every parameter is covered by the signature.
        """
        signed = {
            **parameters,
            EXPIRY: datetime.fromtimestamp(int(expires), UTC).strftime(_TIME_FORMAT),
        }
        return urlencode({**signed, SIGNATURE: self._signature(path, signed)})

    def check(self, path: str, parameters: Mapping[str, str], *, now: float) -> None:
        """Accept a signed path.

        Raises:
            SignatureRefused: the signature is missing, not ours, of another path or other parameters, or has expired.
        """
        signed = {name: value for name, value in parameters.items() if name != SIGNATURE}
        given = parameters.get(SIGNATURE, "")
        if not hmac.compare_digest(given.encode(), self._signature(path, signed).encode()):
            raise SignatureRefused("Signature did not match.")
        if datetime.fromtimestamp(now, UTC) >= datetime.strptime(
            signed[EXPIRY], _TIME_FORMAT
        ).replace(tzinfo=UTC):
            raise SignatureRefused(
                f"Signature not valid in the specified time frame: it ended at {signed[EXPIRY]}."
            )

    def _signature(self, path: str, parameters: Mapping[str, str]) -> str:
        text = "\n".join(
            [path, *(f"{quote(name)}={quote(parameters[name])}" for name in sorted(parameters))]
        )
        return base64.b64encode(hmac.digest(self._secret, text.encode(), hashlib.sha256)).decode()
