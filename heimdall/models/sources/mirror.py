"""Mirrors as companies have them: two layouts, credentials of several kinds, folders and shares."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit
from urllib.request import url2pathname

from ..manifest import PinnedModel
from ..secrets import redact_url
from ..settings import Settings
from .asset import Assets, BelowFolder, BelowUrl
from .logins import netrc_authorization
from .registry import registry


def mirror(prefix: str, model: PinnedModel, settings: Settings) -> Assets:
    """The mirror at a prefix: `<prefix>/<owner>/<repo>/<tag>/<asset>`, or without owner and repository."""
    if prefix.startswith("oci"):
        return registry(prefix, model, settings)
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


def path_of(url: str) -> Path:
    """The path of a file URL; another machine's share where the system has such paths."""
    parts = urlsplit(url)
    server = "" if parts.netloc in {"", "localhost"} else f"//{parts.netloc}"
    return Path(url2pathname(f"{server}{parts.path}"))
