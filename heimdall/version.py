"""Which release this is."""

from __future__ import annotations

import os

_NAME, _SUFFIX = "heimdall_mcp-", ".dist-info"


def own_version() -> str:
    """The version of the installed distribution."""
    # What reads its metadata takes 12 ms to load. Installers put it beside the package, under a name with the version.
    try:
        beside = os.listdir(os.path.dirname(os.path.dirname(__file__)))  # noqa: PTH120, PTH208 (pathlib loads, too)
    except OSError:  # in a zip archive
        beside = []
    found = [name for name in beside if name.startswith(_NAME) and name.endswith(_SUFFIX)]
    if len(found) == 1:
        return found[0].removeprefix(_NAME).removesuffix(_SUFFIX)
    from importlib.metadata import version

    return version("heimdall-mcp")
