"""Is a pinned set already complete on this machine? One small read and a few `stat` calls answer that.

Part of every import of heimdall, so it works on the manifest's plain JSON and loads nothing but `json`. Whatever is
not plainly complete is left to `heimdall.models.resolver`, which reads everything strictly.
"""

import json
import os
from binascii import crc32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

STORE = ".store"
RECEIPT = "receipt.json"
TREE = "models"
DEFAULT_VARIANT = "standard"
"""The variant of whoever names none."""


def read_json(path: str) -> "dict[str, Any]":
    """Read a JSON object.

    Raises:
        OSError: if the file can't be read.
        ValueError: if it holds no JSON object.
    """
    with open(path, encoding="utf-8") as stream:
        try:
            document = json.load(stream)
        except RecursionError as error:
            raise ValueError(f"{path} is nested too deeply") from error
    if not isinstance(document, dict):
        raise ValueError(f"{path} holds no JSON object")  # noqa: TRY004
    return document


def choose_entry(
    document: "dict[str, Any]", model: str | None, variant: str | None
) -> "dict[str, Any] | None":
    """The manifest's entry of that name that serves the variant, and whose marker holds here, or None.

    An entry serves its own variant, and each that it has a graph for: another way of computing with the same files.

    Args:
        document: the manifest's JSON object.
        model: a model's name, or None for the manifest's default.
        variant: a variant's name, or None for `$HEIMDALL_MODEL_VARIANT`, else `standard`.
    """
    model = model or document["default"]
    variant = wanted_variant(variant)
    for entry in document["models"]:
        if (
            entry["name"] == model
            and variant in (entry["variant"], *entry.get("graphs", ()))
            and _marker_holds(entry.get("marker"))
        ):
            return entry  # type: ignore[no-any-return]
    return None


def wanted_variant(variant: str | None) -> str:
    """The variant asked for, else `$HEIMDALL_MODEL_VARIANT`, else `standard`."""
    return variant or os.environ.get("HEIMDALL_MODEL_VARIANT") or DEFAULT_VARIANT


def pins(entry: "dict[str, Any]") -> "dict[str, list[Any]]":
    """What identifies a set: each file's path with its sha256 and size."""
    return {file["path"]: [file["sha256"], file["size"]] for file in entry["files"]}


def set_name(entry: "dict[str, Any]") -> str:
    """The name of the set's directory. It only has to be handy: the receipt inside says which bytes it holds."""
    pinned = "\n".join(
        f"{path} {sha256} {size}" for path, (sha256, size) in sorted(pins(entry).items())
    )
    return f"{entry['name']}-{entry['variant']}-{crc32(pinned.encode()):08x}"


def set_directory(models_dir: str, entry: "dict[str, Any]") -> str:
    """The directory that holds, or would hold, the set's receipt and tree."""
    return os.path.join(models_dir, STORE, "sets", set_name(entry))


def user_note(models_dir: str, manifest_path: str, entry: "dict[str, Any]") -> str:
    """The note in the shared directory that says: the environment of this manifest uses this set."""
    user = f"{crc32(manifest_path.encode('utf-8', 'surrogateescape')):08x}"
    return os.path.join(models_dir, STORE, "users", f"{set_name(entry)}.{user}.json")


def complete_set(models_dir: str, entry: "dict[str, Any]") -> str | None:
    """The tree of the verified set below `models_dir` if nothing was touched since it was verified, else None."""
    directory = set_directory(models_dir, entry)
    tree = os.path.join(directory, TREE)
    try:
        receipt = read_json(os.path.join(directory, RECEIPT))
        if receipt["pins"] == pins(entry) and receipt["stats"] == dict(stats(tree, entry)):
            return tree
    except (OSError, ValueError, KeyError):
        pass
    return None


def stats(tree: str, entry: "dict[str, Any]") -> "Iterator[tuple[str, list[int]]]":
    """Size in bytes and time stamp in nanoseconds of each of the set's files below `tree`."""
    for file in entry["files"]:
        status = os.stat(os.path.join(tree, file["path"]))
        yield file["path"], [status.st_size, status.st_mtime_ns]


def plausible_tree(directory: str, entry: "dict[str, Any]") -> bool:
    """Whether all of the set's files lie in `directory` with their pinned sizes; their bytes are not looked at."""
    try:
        return all(
            size == file["size"]
            for file, (_, (size, _)) in zip(entry["files"], stats(directory, entry), strict=True)
        )
    except OSError:
        return False


def _marker_holds(marker: str | None) -> bool:
    if marker is None:
        return True
    from packaging.markers import Marker

    return Marker(marker).evaluate()
