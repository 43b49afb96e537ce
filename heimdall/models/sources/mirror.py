"""Mirrors as companies have them: two layouts, credentials of several kinds, folders and shares."""

from __future__ import annotations

import netrc
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit
from urllib.request import url2pathname

from ..errors import SourceError
from ..manifest import PinnedAsset, PinnedFile, PinnedModel
from ..secrets import redact_url
from ..settings import Settings
from ..transfer.address import basic_authorization
from ..transfer.http import Client
from .asset import AssetAtUrl, AssetInFile, path_below
from .base import ChosenSource, Context


@dataclass(frozen=True, slots=True)
class Mirror:
    """One of the prefixes in `$HEIMDALL_MODELS_MIRROR`.

    Attributes:
        layouts: the asset where it may be, the first place first.
        trouble: what is wrong with credentials that are meant for it, or nothing.
    """

    place: str
    layouts: tuple[AssetAtUrl | AssetInFile, ...]
    remote: bool
    trouble: str = ""
    name: str = "mirror"

    def deliver(self, wanted: Sequence[PinnedFile], context: Context) -> None:
        """Let the first place that has the asset deliver it."""
        self._first(lambda layout: layout.deliver(wanted, context))

    def probe(self, model: PinnedModel, client: Client) -> None:
        """Ask for one byte."""
        self._first(lambda layout: layout.probe(model, client))

    def _first(self, ask: Callable[[AssetAtUrl | AssetInFile], None]) -> None:
        failures: list[SourceError] = []
        for layout in self.layouts:
            try:
                return ask(layout)
            except SourceError as error:
                named = layout.place in error.reason
                reason = error.reason if named else f"{layout.place}: {error.reason}"
                failures.append(replace(error, reason=reason))
                if error.transient:  # the other place is no better now
                    break
        # That one of the places is empty is no news.
        told = [failure for failure in failures if not failure.absent] or failures
        reasons = [failure.reason for failure in told]
        reason = "; ".join([*reasons, *filter(None, [self.trouble])])
        raise replace(told[-1], reason=reason)


def mirror(prefix: str, model: PinnedModel, settings: Settings) -> ChosenSource:
    """The mirror at a prefix: `<prefix>/<owner>/<repo>/<tag>/<asset>`, or without owner and repository."""
    paths = [f"{quote(model.repository)}/{path_below(model.asset)}", path_below(model.asset)]
    if prefix.startswith("file:"):
        root = path_of(prefix)
        folders = [root / model.repository, root]
        files = [AssetInFile(_file_below(folder, model.asset)) for folder in folders]
        return Mirror(str(root), tuple(files), remote=False)
    parts = urlsplit(prefix)
    # A query, as a signature for a container, goes behind the path.
    urls = [urlunsplit(parts._replace(path=f"{parts.path}/{path}")) for path in paths]
    credentials = dict([settings.mirror_header] if settings.mirror_header else [])
    trouble = ""
    if parts.username is None and "Authorization" not in credentials:
        authorization, trouble = netrc_authorization(parts.hostname or "")
        if authorization:
            credentials["Authorization"] = authorization
    assets = [AssetAtUrl("mirror", url, credentials) for url in urls]
    return Mirror(redact_url(prefix), tuple(assets), remote=True, trouble=trouble)


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


def _file_below(folder: Path, asset: PinnedAsset) -> Path:
    return folder / asset.tag / asset.name
