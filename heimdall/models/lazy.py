"""Names of a package that are imported when they are first used, so that importing the package stays light."""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PROCESS = os.getpid()
"""The process that the first of these packages was imported in. Modules may come after a fork, which has another number."""


def lazy_exports(
    package: str, modules: "Mapping[str, Sequence[str]]"
) -> "tuple[list[str], Callable[[], list[str]], Callable[[str], object]]":
    """A package's `__all__`, `__dir__` and `__getattr__`, by which it offers names of its modules.

    Type checkers need the same names imported under `TYPE_CHECKING`.

    Args:
        package: the package's own name.
        modules: each module, as `importlib.import_module` takes it relative to the package, with the names it has.
    """
    homes = {name: module for module, names in modules.items() for name in names}

    def get(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(homes[name], package), name)

    return sorted(homes), lambda: sorted({*vars(sys.modules[package]), *homes}), get
