"""Which certificate authorities are trusted: those that pip and curl would trust on this machine.

TLS is not what the model's bytes are believed by, their sha256 is. What is at stake is that a name in a message is true
and that credentials go where they should.
"""

from __future__ import annotations

import importlib
import os
import ssl
import sys
from datetime import datetime, timezone
from pathlib import Path
from types import ModuleType

from ..errors import SourceError

SYSTEM_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""Those that OpenSSL reads itself, in place of the system's store."""
BUNDLE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Those of requests, pip and curl; the first one that is set is trusted besides."""
_OF_TIME = frozenset({9, 10})
"""What OpenSSL says of a certificate that is not yet valid, or no longer."""
_OF_NAME = frozenset({62, 64})
"""And of one for another host name or address."""


def trusting_context() -> ssl.SSLContext:
    """A client's context, with the system's authorities, or those that come with Python packages where it has none.

    Raises:
        SourceError: if a variable names a bundle that can't be read.
    """
    keychain = _asks_keychain()
    # It looks for the bundles of other distributions than OpenSSL was built for, too.
    named_alone = sys.platform == "darwin" and not keychain
    wanted = keychain or not (has_system_store() or named_alone)
    truststore = _package("truststore") if wanted else None
    if truststore is None:
        context = ssl.create_default_context()
    else:
        context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Python 3.13 began to refuse authorities without a key usage or key identifier, as companies' own ones often are;
    # pip and curl take them. An authority may be an intermediate one, as for curl and Python 3.13.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    has_authorities = has_system_store() or (keychain and truststore is not None)
    if not has_authorities and (certifi := _package("certifi")):
        context.load_verify_locations(cafile=certifi.where())
    for variable in BUNDLE_VARIABLES:
        if named := os.environ.get(variable):
            _load(context, variable, named)
            break
    return context


def _asks_keychain() -> bool:
    """Whether macOS itself says whom to trust, which no Python asks there; files that the user names come before it."""
    named = any(os.environ.get(name) for name in (*SYSTEM_VARIABLES, *BUNDLE_VARIABLES))
    return sys.platform == "darwin" and not named


def has_system_store() -> bool:
    """Whether OpenSSL finds certificate authorities where it looks for them by itself."""
    if os.name == "nt":
        return True  # Python asks the system
    paths = ssl.get_default_verify_paths()  # None for what is not there
    return bool(paths.cafile) or _has_certificates(paths.capath)


def _has_certificates(folder: str | None) -> bool:
    # As OpenSSL finds them: named by their subject's hash.
    return folder is not None and any(Path(folder).glob("????????.[0-9]*"))


def advice(error: BaseException) -> str:
    """What may be why TLS failed, or what to do: a clause to be added."""
    codes = (getattr(one, "verify_code", None) for one in (error, *error.args))
    code = next(filter(None, codes), None)
    if code in _OF_TIME:
        return f"; this machine's clock says {datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC"
    if code in _OF_NAME:
        return "; somebody else answers for this host: a captive portal, or a proxy?"
    return f"; a custom CA goes into SSL_CERT_FILE{complaint()}" if code else ""


def complaint() -> str:
    """What about the authorities may be why a certificate was refused: a clause to be added, or nothing."""
    gone = [
        f"{name} names {os.environ[name]}, which is not there"
        for name in SYSTEM_VARIABLES
        if os.environ.get(name) and not Path(os.environ[name]).exists()
    ]
    if not gone and _asks_keychain():
        gone = [
            "have the Keychain trust its authority, or name that one's file in SSL_CERT_FILE"
            if _package("truststore")
            else "the Keychain could not be asked: pip install truststore"
        ]
    elif not gone and not has_system_store() and not _package("certifi"):
        gone = ["this machine has no certificate authorities: install ca-certificates or certifi"]
    return "".join(f"; {text}" for text in gone)


def _load(context: ssl.SSLContext, variable: str, path: str) -> None:
    try:
        if Path(path).is_dir():
            context.load_verify_locations(capath=path)
        else:
            context.load_verify_locations(cafile=path)
    except OSError as error:
        raise SourceError(
            f"the certificate authorities in {path} can't be read ({variable}): {error.strerror or error}"
        ) from error


def _package(name: str) -> ModuleType | None:
    """The package, or the copy that pip carries."""
    for module in (name, f"pip._vendor.{name}"):
        try:
            return importlib.import_module(module)
        except ImportError:
            continue
    return None
