"""Which proxy a URL goes through, as the usual variables say, and what it refuses."""

from __future__ import annotations

import importlib.util
import ipaddress
import os
import re
import sys
import urllib.request
from urllib.parse import urlsplit

import urllib3

from ..errors import SourceError
from ..lazy import PROCESS
from ..secrets import redact_url
from . import connections
from .address import Address
from .tls import trusting_context

VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")
_FORKING = ("gunicorn.arbiter", "celery", "billiard", "uwsgi")
_SOCKS = frozenset({"socks5", "socks5h", "socks4", "socks4a"})
_REFUSED = re.compile(r"Tunnel connection failed: (?P<status>\d{3}) ?(?P<reason>.*)")


def proxy_for(url: str) -> str | None:
    """The proxy that the environment names for a URL, with its scheme; None: ask directly."""
    parts = urlsplit(url)
    # What a Mac's settings say can't be asked for after a fork: that may end the process.
    if _may_be_forked():
        proxies = urllib.request.getproxies_environment()
        bypass = urllib.request.proxy_bypass_environment  # type: ignore[attr-defined]
    else:
        proxies, bypass = urllib.request.getproxies(), urllib.request.proxy_bypass
    if bypass(parts.netloc.rpartition("@")[2]) or _is_excepted(parts.hostname):
        return None
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


def _may_be_forked() -> bool:
    """Whether this process was made by a fork alone, as the workers of servers that fork first and import then."""
    return os.getpid() != PROCESS or any(name in sys.modules for name in _FORKING)


def _is_excepted(host: str | None) -> bool:
    """Whether a host that is an address is in one of `NO_PROXY`'s networks, which the standard library leaves out."""
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:
        return False
    for item in urllib.request.getproxies_environment().get("no", "").split(","):
        try:
            if address in ipaddress.ip_network(item.strip().strip("[]"), strict=False):
                return True
        except ValueError:
            continue
    return False


def problem_with(proxy: str) -> str | None:
    """Why a proxy can't be used, as it is named; None if it can."""
    try:
        parts = urlsplit(proxy)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is no URL" + (", write @ as %40 in its password" if "@" in proxy else "")
    if not host:
        return "names no host"
    if parts.scheme in _SOCKS and importlib.util.find_spec("socks") is None:
        return "is a SOCKS proxy, for which PySocks is missing: pip install pysocks"
    if parts.scheme not in {"http", "https", *_SOCKS}:
        return f"is of the kind {parts.scheme}, which can't be used"
    return None


def pools_behind(proxy: str | None, scheme: str) -> urllib3.PoolManager:
    """Connections to servers by way of a proxy, or direct ones.

    Args:
        proxy: its URL, perhaps with user and password.
        scheme: `http` or `https`, by which the servers are asked. Authorities, which take long to read, are trusted
            where one of the two needs them.

    Raises:
        SourceError: if the proxy is none that can be used, or authorities that a variable names can't be read.
    """
    tls = trusting_context() if "https" in {scheme, urlsplit(proxy or "").scheme} else None
    if proxy is None:
        return connections.limited(urllib3.PoolManager(ssl_context=tls))
    if problem := problem_with(proxy):
        raise SourceError(f"the proxy {redact_url(proxy)} {problem}")
    proxy, credentials = Address.of(proxy)[::2]
    if urlsplit(proxy).scheme in _SOCKS:
        from urllib3.contrib.socks import SOCKSProxyManager

        user, password = credentials or (None, None)
        return connections.limited_socks(SOCKSProxyManager(proxy, user, password, ssl_context=tls))
    headers = urllib3.make_headers(proxy_basic_auth=":".join(credentials)) if credentials else None
    return connections.limited(
        urllib3.ProxyManager(proxy, proxy_headers=headers, ssl_context=tls, proxy_ssl_context=tls)
    )


def refusal(error: BaseException) -> tuple[int, str] | None:
    """The status with which a proxy refused a tunnel, and how to tell it; None for any other error."""
    cause: BaseException | None = error
    while cause is not None:
        if match := _REFUSED.fullmatch(str(cause)):
            status = int(match["status"])
            return status, f"{status} {match['reason']}".rstrip()
        cause = getattr(cause, "original_error", None) or cause.__cause__
    return None


def credentials_hint(proxy: str | None) -> str:
    """What to do about a proxy that wants other credentials than it has got: a clause to be added."""
    if proxy and urlsplit(proxy).username:
        return "; it refuses the user and password that it is named with, or wants another kind of login"
    return "; its user and password are written as http://user:password@host:port"
