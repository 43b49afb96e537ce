"""What `[tool.hatch.build.hooks.custom] path` names where this package lies in the project's own tree.

Hatchling runs this file alone, without a package around it, and the folder above is on no import
path of an isolated build. So the package is loaded here from where it lies, under its own name.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hatch_heimdall_models.hook import HeimdallModelsHook

_FOLDER = Path(__file__).resolve().parent


def get_build_hook() -> type[HeimdallModelsHook]:
    """The hook of this tree, as hatchling asks for it.

    An installed `hatch-heimdall-models` is set aside.
    """
    package = _FOLDER.name
    loaded = getattr(sys.modules.get(package), "__file__", None)
    if loaded is None or Path(loaded).resolve().parent != _FOLDER:
        for name in [name for name in sys.modules if name.partition(".")[0] == package]:
            del sys.modules[name]
    # For this import alone: the other folders of the tree are no business of a build.
    sys.path.insert(0, str(_FOLDER.parent))
    try:
        from hatch_heimdall_models.hook import HeimdallModelsHook
    finally:
        sys.path.remove(str(_FOLDER.parent))
    return HeimdallModelsHook
