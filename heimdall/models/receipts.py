"""The manifest's plain JSON, and what a store has of a pinned set: its tree, its receipt, and notes of who uses it.

A receipt says that a set's files were hashed, and how they were then. It is believed when this user or root wrote it,
and so are sizes and time stamps of files that are this user's or root's; what others own can be altered without a
trace in either, and counts only by a receipt of one's own that knows its inode and its change time.

Part of every import of heimdall, so it loads nothing but `json`; `manifest.read_model` reads everything strictly.
"""

import json
import os
import sys
from binascii import crc32

from . import locations
from .ownership import NO_FOLLOW, is_own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO, Any

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
        return _json_object(stream, path)


def read_manifest(path: str) -> "dict[str, Any]":
    """Read a manifest, which may be in a zip archive that Python imports from.

    Raises:
        As `read_json` does.
    """
    try:
        return read_json(path)
    except (FileNotFoundError, NotADirectoryError):
        content = in_archive(path)
        if content is None:
            raise
        from io import BytesIO

        return _json_object(BytesIO(content), path)


def in_archive(path: str) -> "bytes | None":
    """The content of a file in a zip archive, as `path/of/archive.zip/path/in/it`; None if there is none."""
    archive = os.path.dirname(path)
    while not os.path.isfile(archive):
        above = os.path.dirname(archive)
        if above == archive:
            return None
        archive = above
    from zipimport import zipimporter

    try:
        return zipimporter(archive).get_data(path)
    except (ImportError, OSError):
        return None


def read_own_json(path: str) -> "dict[str, Any]":
    """Read a JSON object from a file that is this user's or root's.

    Raises:
        OSError: if it can't be read, is a link, or others may write to it.
        ValueError: if it holds no JSON object.
    """
    descriptor = os.open(path, os.O_RDONLY | NO_FOLLOW)
    with open(descriptor, encoding="utf-8") as stream:
        if not is_own(os.fstat(descriptor)):
            raise PermissionError(f"{path} belongs to another user, or others may write to it")
        return _json_object(stream, path)


def _json_object(stream: "IO[str] | IO[bytes]", path: str) -> "dict[str, Any]":
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

    Args:
        models_dir: the models directory.
        entry: the manifest's entry.
        read_only: whether it is the read-only tier. There, sizes are enough where all is this user's or root's:
            packages and container layers come with other time stamps.

    Attributes:
        entry: the manifest's entry.
        name: the set's name.
        directory: the directory of its receipt and its tree.
        tree: the directory of its files.
        receipt: the file that says what was verified.
        trees: the directories that may have the files: its own, and what somebody put directly into the models directory.
    """

    __slots__ = (
        "_models_dir",
        "_read_only",
        "directory",
        "entry",
        "name",
        "receipt",
        "tree",
        "trees",
    )

    def __init__(
        self, models_dir: str, entry: "dict[str, Any]", *, read_only: bool = False
    ) -> None:
        self._models_dir = models_dir
        self._read_only = read_only
        self.name = set_name(entry)
        self.entry = entry
        self.directory = os.path.join(models_dir, STORE, "sets", self.name)
        self.tree = os.path.join(self.directory, TREE)
        self.receipt = os.path.join(self.directory, RECEIPT)
        self.trees = (self.tree, models_dir)

    def is_whole(self, tree: str) -> bool:
        """Whether one of the trees has each file in its pinned size, verified or not."""
        return self._statuses(tree) is not None

    def is_verified(self, tree: str = "") -> bool:
        """Whether one of the trees, by default the set's own, is whole, and not touched since it was verified."""
        tree = tree or self.tree
        now = self._statuses(tree)
        if now is None:
            return False
        unalterable = all(map(is_own, now.values()))
        beside = self.receipt if tree == self.tree else ""
        if unalterable and not self._read_only and self._says(beside, look, now):
            return True
        verdict = self._says(own_receipt(tree, self.entry), identity, now)
        return unalterable and self._read_only if verdict is None else verdict

    def noted_verdict(self, tree: str) -> bool | None:
        """Whether this user's own hashing found the files in `tree` right; None if they are not those that it hashed."""
        now = self._statuses(tree)
        return now and self._says(own_receipt(tree, self.entry), identity, now)  # type: ignore[return-value]

    def stats(self) -> "dict[str, list[int]]":
        """What a receipt notes of the set's own files, as they are now.

        Raises:
            OSError: if one is not there.
        """
        return {
            file["path"]: look(os.stat(os.path.join(self.tree, file["path"])))
            for file in self.entry["files"]
        }

    def _statuses(self, tree: str) -> "dict[str, os.stat_result] | None":
        now = {}
        for file in self.entry["files"]:
            try:
                status = os.stat(os.path.join(tree, file["path"]))
            except OSError:
                return None
            if status.st_size != file["size"]:
                return None
            now[file["path"]] = status
        return now

    def _says(
        self,
        receipt: str,
        noted: "Callable[[os.stat_result], list[int]]",
        now: "dict[str, os.stat_result]",
    ) -> bool | None:
        """Whether the files, as they are now, had the pinned bytes when they were hashed; None if they were not."""
        try:
            document = read_own_json(receipt)
            stats = {path: noted(status) for path, status in now.items()}
            return document["pins"] == pins(self.entry) if document["stats"] == stats else None
        except (OSError, ValueError, KeyError):
            return None

    def user_note(self, manifest_path: str) -> str:
        """The note in the shared directory that says: the environment of this manifest uses this set."""
        user = f"{crc32(manifest_path.encode('utf-8', 'surrogateescape')):08x}"
        return os.path.join(self._models_dir, STORE, "users", f"{self.name}.{user}.json")

    def is_noted(self, manifest_path: str) -> bool:
        """Whether it is noted that this manifest's environment uses the set, or can't be."""
        note = self.user_note(manifest_path)
        return (
            vanishes(manifest_path)
            or os.path.exists(note)
            or not os.access(os.path.dirname(note), os.W_OK)
        )


def vanishes(path: str) -> bool:
    """Whether it is in the folder that a one-file program unpacks itself into, and removes when it ends."""
    unpacked = getattr(sys, "_MEIPASS", "")
    beside = os.path.dirname(sys.executable)
    return bool(unpacked) and path.startswith(unpacked) and not unpacked.startswith(beside)


def own_receipt(tree: str, entry: "dict[str, Any]") -> str:
    """Where this user's own receipt of a set's files in `tree` is, or would be; empty if there is no such place."""
    private = locations.private_dir()
    name = f"{set_name(entry)}.{crc32(os.fsencode(tree)):08x}.json"
    return os.path.join(private, "receipts", name) if private else ""


def look(status: os.stat_result) -> list[int]:
    """What is noted of a file that nobody else may alter: its size in bytes, its time stamp in nanoseconds.

    Both survive a copy of the whole store, as into an image.
    """
    return [status.st_size, status.st_mtime_ns]


def identity(status: os.stat_result) -> list[int]:
    """What is noted of a file that others may alter: its owner can set size and time stamp, but not the change time."""
    return [*look(status), status.st_ino, status.st_ctime_ns]


def _marker_holds(marker: str | None) -> bool:
    if marker is None:
        return True
    from packaging.markers import Marker

    return Marker(marker).evaluate()
