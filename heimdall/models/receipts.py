"""The manifest's plain JSON, and what a store has of a pinned set: its tree, its receipt, and notes of who uses it.

Part of every import of heimdall, so it loads nothing but `json`; `manifest.read_model` reads everything strictly.
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
"""The folder of a set's files, beside its receipt."""


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
    document: "dict[str, Any]", model: str | None, variant: str
) -> "dict[str, Any] | None":
    """The manifest's entry of that name that serves the variant, and whose marker holds here, or None.

    An entry serves its own variant, and each that it has a graph for: another way of computing with the same files.

    Args:
        document: the manifest's JSON object.
        model: a model's name, or None for the manifest's default.
        variant: a variant's name.
    """
    model = model or document["default"]
    for entry in document["models"]:
        if (
            entry["name"] == model
            and variant in (entry["variant"], *entry.get("graphs", ()))
            and _marker_holds(entry.get("marker"))
        ):
            return entry  # type: ignore[no-any-return]
    return None


def pins(entry: "dict[str, Any]") -> "dict[str, list[Any]]":
    """What identifies a set: each file's path with its sha256 and size."""
    return {file["path"]: [file["sha256"], file["size"]] for file in entry["files"]}


def set_name(entry: "dict[str, Any]") -> str:
    """The name of the set's directory. It only has to be handy: the receipt inside says which bytes it holds."""
    pinned = "\n".join(
        f"{path} {sha256} {size}" for path, (sha256, size) in sorted(pins(entry).items())
    )
    return f"{entry['name']}-{entry['variant']}-{crc32(pinned.encode()):08x}"


class StoredSet:
    """A pinned set in one models directory, whether it is there or not.

    Attributes:
        entry: the manifest's entry.
        name: the set's name.
        directory: the directory of its receipt and its tree.
        tree: the directory of its files.
        receipt: the file that says what was verified.
    """

    __slots__ = ("_models_dir", "directory", "entry", "name", "receipt", "tree")

    def __init__(self, models_dir: str, entry: "dict[str, Any]") -> None:
        self._models_dir = models_dir
        self.name = set_name(entry)
        self.entry = entry
        self.directory = os.path.join(models_dir, STORE, "sets", self.name)
        self.tree = os.path.join(self.directory, TREE)
        self.receipt = os.path.join(self.directory, RECEIPT)

    def is_verified(self) -> bool:
        """Whether the set is whole, and nothing was touched since it was verified."""
        try:
            receipt = read_json(self.receipt)
            untouched: bool = receipt["stats"] == dict(stats(self.tree, self.entry))
            return untouched and receipt["pins"] == pins(self.entry)
        except (OSError, ValueError, KeyError):
            return False

    def unverified(self) -> "Iterator[str]":
        """The directories that have each file in its pinned size, whether it was verified or not.

        That may be a set that was touched since it was verified, or what somebody put directly into the models directory.
        """
        for directory in (self.tree, self._models_dir):
            try:
                sizes = {path: size for path, (size, _) in stats(directory, self.entry)}
            except OSError:
                continue
            if all(sizes[file["path"]] == file["size"] for file in self.entry["files"]):
                yield directory

    def user_note(self, manifest_path: str) -> str:
        """The note in the shared directory that says: the environment of this manifest uses this set."""
        user = f"{crc32(manifest_path.encode('utf-8', 'surrogateescape')):08x}"
        return os.path.join(self._models_dir, STORE, "users", f"{self.name}.{user}.json")

    def is_noted(self, manifest_path: str) -> bool:
        """Whether it is noted that this manifest's environment uses the set, or can't be."""
        note = self.user_note(manifest_path)
        return os.path.exists(note) or not os.access(os.path.dirname(note), os.W_OK)


def stats(tree: str, entry: "dict[str, Any]") -> "Iterator[tuple[str, list[int]]]":
    """Size in bytes and time stamp in nanoseconds of each of the set's files below `tree`."""
    for file in entry["files"]:
        status = os.stat(os.path.join(tree, file["path"]))
        yield file["path"], [status.st_size, status.st_mtime_ns]


def _marker_holds(marker: str | None) -> bool:
    if marker is None:
        return True
    from packaging.markers import Marker

    return Marker(marker).evaluate()
