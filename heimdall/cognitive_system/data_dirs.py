"""The shared per-user directories, and the environment that sends other libraries' caches there."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from heimdall.models import locations


def get_heimdall_data_dir() -> Path:
    """The shared directory: `$HEIMDALL_DATA_DIR`, else the platform's per-user data directory.

    It need not exist.
    """
    return Path(locations.data_dir())


def get_qdrant_data_dir() -> Path:
    """The vector engine's shared storage."""
    return get_heimdall_data_dir() / "qdrant"


def get_models_data_dir() -> Path:
    """The shared models."""
    return get_heimdall_data_dir() / "models"


def get_logs_data_dir() -> Path:
    """The shared logs."""
    return get_heimdall_data_dir() / "logs"


def shared_directories() -> dict[str, Path]:
    """The directories that heimdall writes to, by the names that commands give them."""
    return {
        "heimdall_data_dir": get_heimdall_data_dir(),
        "models_dir": Path(locations.models_dir()),
        "qdrant_dir": get_qdrant_data_dir(),
        "logs_dir": get_logs_data_dir(),
    }


def ensure_data_directories() -> None:
    """Make the shared directories that do not exist yet, with modes as the umask says.

    Raises:
        OSError: if one can't be made.
    """
    models = get_models_data_dir()
    for directory in (get_qdrant_data_dir(), models / "huggingface_cache", get_logs_data_dir()):
        directory.mkdir(parents=True, exist_ok=True)


def ensure_models_available() -> Path:
    """A directory with the files of the default model, fetched and verified if need be.

    Raises:
        ModelError: if the model can't be provided; the error tells what each source did.
        StoreError: if the models directory can't be used; it says what to do.
    """
    from heimdall.models.resolver import resolve

    return resolve()


def initialize_shared_environment() -> Path:
    """Make the shared directories, provide the models, and send other libraries' caches to the shared place.

    Sets `MODEL_CACHE_DIR` and `SENTENCE_TRANSFORMERS_HOME` to the models directory,
    `TRANSFORMERS_CACHE` and `HF_HOME` to its `huggingface_cache`, in this process and what it
    starts, also when no model can be had; a variable that is set already is left alone. Libraries
    read theirs when they are imported: call this before. Where `HF_HOME` moves, `HF_TOKEN_PATH` is
    set to where the user's Hugging Face token has been, for a token does not belong into a
    directory that may be shared with others.

    Called when one of heimdall's systems that needs a model starts, never by an import.

    Returns:
        What `ensure_models_available` returns.

    Raises:
        ModelError: as `ensure_models_available` does. Directories that can't be made are no
            obstacle where the models are in the read-only tier.
    """
    with contextlib.suppress(OSError):
        ensure_data_directories()
    models = get_models_data_dir()
    if "HF_HOME" not in os.environ:
        cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
        cache = os.path.expanduser(cache)  # noqa: PTH111 (without a home it stays as it is)
        os.environ.setdefault("HF_TOKEN_PATH", str(Path(cache, "huggingface", "token")))
    for variable, directory in (
        ("MODEL_CACHE_DIR", models),
        ("SENTENCE_TRANSFORMERS_HOME", models),
        ("TRANSFORMERS_CACHE", models / "huggingface_cache"),
        ("HF_HOME", models / "huggingface_cache"),
    ):
        os.environ.setdefault(variable, str(directory))
    return ensure_models_available()
