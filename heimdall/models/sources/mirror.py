"""Mirrors as companies have them: two layouts, credentials of several kinds, folders and shares."""

from __future__ import annotations

import netrc
import os
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit
from urllib.request import url2pathname

from ..manifest import PinnedModel
from ..secrets import redact_url
from ..settings import Settings
from ..transfer.address import basic_authorization
from .asset import Assets, BelowFolder, BelowUrl


def mirror(prefix: str, model: PinnedModel, settings: Settings) -> Assets:
    """The mirror at a prefix: `<prefix>/<owner>/<repo>/<tag>/<asset>`, or without owner and repository."""
    if prefix.startswith("file:"):
        root = path_of(prefix)
        folders = BelowFolder(root / model.repository), BelowFolder(root)
        return Assets("mirror", str(root), folders, remote=False)
    parts = urlsplit(prefix)
    credentials = dict([settings.mirror_header] if settings.mirror_header else [])
    trouble = ""
    if parts.username is None and "Authorization" not in credentials:
        authorization, trouble = netrc_authorization(parts.hostname or "")
        if authorization:
            credentials["Authorization"] = authorization
    by_owner = parts._replace(path=f"{parts.path}/{quote(model.repository)}")
    places = tuple(BelowUrl(urlunsplit(base), credentials) for base in (by_owner, parts))
    return Assets("mirror", redact_url(prefix), places, trouble=trouble)


def netrc_authorization(host: str) -> tuple[str | None, str]:
    """The authorization that `$NETRC` or `~/.netrc` has for a host, if any; and what is wrong with the file, if it can't be read."""
    named = os.environ.get("NETRC") or ("~/_netrc" if os.name == "nt" else "~/.netrc")
    path = os.path.expanduser(named)  # noqa: PTH111 (without a home it stays as it is)
    try:
        found = netrc.netrc(path).authenticators(host)
    except FileNotFoundError:
        return None, ""
    except (OSError, ValueError, netrc.NetrcParseError) as error:
        # Its own words may repeat a password.
        told = getattr(error, "strerror", None) or f"line {getattr(error, 'lineno', '?')}"
        return None, f"{path} has no credentials that can be read ({told})"
    return (basic_authorization(found[0], found[2] or "") if found else None), ""


def path_of(url: str) -> Path:
    """The path of a file URL; another machine's share where the system has such paths."""
    parts = urlsplit(url)
    server = "" if parts.netloc in {"", "localhost"} else f"//{parts.netloc}"
    return Path(url2pathname(f"{server}{parts.path}"))
