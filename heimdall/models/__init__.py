"""The resolver: reads a pinned manifest and provides the matching files from the shared directory, verified.

Names are imported when first used: a bare `import heimdall` passes through here and must stay light.
"""

from .lazy import lazy_exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .errors import IntegrityError as IntegrityError
    from .errors import ManifestError as ManifestError
    from .errors import ModelError as ModelError
    from .errors import ModelUnavailable as ModelUnavailable
    from .packages import ensure as ensure

__all__, __dir__, __getattr__ = lazy_exports(
    __name__,
    {
        ".errors": ("IntegrityError", "ManifestError", "ModelError", "ModelUnavailable"),
        ".packages": ("ensure",),
    },
)
