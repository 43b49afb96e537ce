"""The user's variables that a server needs: those that a client passes on, and those that a Mac's apps never see."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from heimdall.models.secrets import redact_message

PASSED_ON = (
    *("HEIMDALL_PROJECT", "HEIMDALL_DATA_DIR", "HEIMDALL_SYSTEM_MODELS", "MODEL_CACHE_DIR"),
    *("HEIMDALL_MODELS_MIRROR", "HEIMDALL_SOURCES", "HEIMDALL_GITHUB_URL"),
    *("HEIMDALL_MODEL_VARIANT", "HEIMDALL_FETCH", "HEIMDALL_OFFLINE", "HF_HUB_OFFLINE"),
    *("HEIMDALL_HTTP_TIMEOUT", "HEIMDALL_CONNECT_TIMEOUT", "HEIMDALL_LOCK_TIMEOUT"),
    *("HEIMDALL_LOG_LEVEL", "HEIMDALL_DEBUG", "HEIMDALL_PROGRESS"),
    *("HEIMDALL_QDRANT_URL", "HEIMDALL_QDRANT_TIMEOUT"),
    *("HF_HOME", "HF_HUB_CACHE", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    *("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("https_proxy", "http_proxy", "all_proxy", "no_proxy"),
    *("PIP_INDEX_URL", "PIP_CONFIG_FILE", "UV_DEFAULT_INDEX", "UV_CONFIG_FILE"),
)
"""Variables of the user's that the server needs where a client passes on none by itself."""

LEFT_TO_THE_USER = (
    "HEIMDALL_TRUST",
    "HEIMDALL_GITHUB_TOKEN",
    "GITHUB_TOKEN",
    "HEIMDALL_MIRROR_HEADER",
    "HEIMDALL_QDRANT_API_KEY",
)
"""What no entry has unless the user names it: secrets, and whom the server trusts."""


def unseen(environ: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """What apps that are started from the Dock do not see of a shell's variables; nothing but on macOS.

    Returns:
        What holds for every project and is no secret, with its values, to stand in the user's own file; and the names of
        what else is set, for the user to decide.
    """
    is_mac = sys.platform == "darwin"
    if not is_mac:
        return {}, []
    of_all = (name for name in PASSED_ON if name != "HEIMDALL_PROJECT")
    written = {name: environ[name] for name in of_all if environ.get(name)}
    secret = [name for name, value in written.items() if redact_message(value) != value]
    left = [name for name in (*secret, *LEFT_TO_THE_USER) if environ.get(name)]
    return {name: value for name, value in written.items() if name not in secret}, left
