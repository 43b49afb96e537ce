"""What `[tool.hatch.build.hooks.custom] path` names where this package lies in the project's own tree.

Hatchling runs this file alone, without a package around it, and the folder above is on no import path of an isolated
build. So the package is loaded here from where it lies, under its own name.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hatch_heimdall_models.hook import HeimdallModelsHook

_PACKAGE = "hatch_heimdall_models"
_FOLDER = Path(__file__).resolve().parent


def get_build_hook() -> type[HeimdallModelsHook]:
    """The hook of this tree, as hatchling asks for it; an installed `hatch-heimdall-models` is set aside."""
    loaded = getattr(sys.modules.get(_PACKAGE), "__file__", None)
    if loaded is None or Path(loaded).resolve().parent != _FOLDER:
        _load()
    from hatch_heimdall_models.hook import HeimdallModelsHook

    return HeimdallModelsHook


def _load() -> None:
    for name in [
        name for name in sys.modules if name == _PACKAGE or name.startswith(f"{_PACKAGE}.")
    ]:
        del sys.modules[name]
    spec = importlib.util.spec_from_file_location(
        _PACKAGE, _FOLDER / "__init__.py", submodule_search_locations=[str(_FOLDER)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(
            f"{_FOLDER} can't be loaded as {_PACKAGE}", name=_PACKAGE, path=str(_FOLDER)
        )
    package = importlib.util.module_from_spec(spec)
    sys.modules[_PACKAGE] = package
    spec.loader.exec_module(package)
