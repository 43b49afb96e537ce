"""Long-term memory per project for AI coding assistants.

Importing this package brings the pinned embedding model into the shared per-user directory, once per machine (see
`heimdall.models`); afterwards an import costs one small read and a few `stat` calls. It changes no variable of the
host program's environment and never fails for want of a network.
"""

from heimdall.errors import HeimdallError
from heimdall.models.first_import import provide_models_on_import

__all__ = ["HeimdallError", "__version__"]

# as `typing` would say it; importing `typing` costs more than all the rest of this import
TYPE_CHECKING = False
if TYPE_CHECKING:
    __version__: str


def __getattr__(name: str) -> str:
    if name == "__version__":
        from heimdall.version import own_version

        return own_version()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


provide_models_on_import()
