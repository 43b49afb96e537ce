"""Where a model is when nothing is left to do for it: what `resolver.resolve` would return, without its imports."""

import os

from . import locations, receipts
from .errors import HeimdallError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def ready_tree(
    model: str | None = None, variant: str | None = None, *, models_dir: str | None = None
) -> str | None:
    """The directory with a model's verified files if it is complete and it is noted who uses it, else None.

    Never raises: whatever is not plainly right is left to `resolver.resolve`, which says what is wrong.

    Args:
        model: its name; default: the manifest's default.
        variant: its variant; default: `$HEIMDALL_MODEL_VARIANT`, else `standard`.
        models_dir: the models directory; default: `$MODEL_CACHE_DIR`, else the shared one.
    """
    try:
        manifest_path = locations.manifest_path()
        entry = receipts.choose_entry(receipts.read_json(manifest_path), model, variant)
        if entry is None:
            return None
        shared = models_dir or locations.models_dir()
        if tree := receipts.complete_set(locations.system_models_dir(), entry):
            return tree
        tree = receipts.complete_set(shared, entry)
        return tree if tree and is_noted(shared, manifest_path, entry) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, HeimdallError):
        return None


def is_noted(models_dir: str, manifest_path: str, entry: "dict[str, Any]") -> bool:
    """Whether it is noted that this manifest's environment uses the set, or can't be."""
    note = receipts.user_note(models_dir, manifest_path, entry)
    return os.path.exists(note) or not os.access(os.path.dirname(note), os.W_OK)
