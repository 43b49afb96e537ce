"""The resolver: reads the pinned manifest and provides the matching files from the shared directory, verified.

Names are imported when first used: a bare `import heimdall` passes through here and must stay light.
"""

__all__ = [
    "IntegrityError",
    "ManifestError",
    "ModelError",
    "ModelUnavailable",
    "Resolution",
    "ensure",
    "repair",
    "resolve",
    "resolve_in_detail",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .errors import IntegrityError, ManifestError, ModelError, ModelUnavailable
    from .packages import ensure
    from .resolver import Resolution, repair, resolve, resolve_in_detail

_HOMES = {
    "IntegrityError": "errors",
    "ManifestError": "errors",
    "ModelError": "errors",
    "ModelUnavailable": "errors",
    "Resolution": "resolver",
    "ensure": "packages",
    "repair": "resolver",
    "resolve": "resolver",
    "resolve_in_detail": "resolver",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
