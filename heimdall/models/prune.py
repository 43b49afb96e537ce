"""What in the store nobody needs any more, with a reason for every answer. Nothing else in heimdall deletes a model.

A set stays when an environment that can be read uses it, and when its use can't be judged. Blobs go when no set has
them; unfinished downloads when their process is gone, or they are old. Processes that have a file open keep it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from . import graph_cache, receipts
from .files import size_below
from .locking import any_held
from .processes import is_gone, is_of_another_machine
from .store import Store
from .transfer.partials import is_abandoned, owner_of

OLD_SECONDS = 24 * 3600.0
"""Unfinished files younger than this stay, whoever owns them."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to become of one thing in the store.

    Attributes:
        kind: `set`, `blob`, `partial` or `note`.
        path: the thing.
        keep: whether it stays.
        reason: why.
        size: bytes that go with it; 0 for what stays. A set's own are those of what was computed from it: its files are blobs.
    """

    kind: str
    path: Path
    keep: bool
    reason: str
    size: int = 0


def judge(store: Store, now: float | None = None) -> list[Verdict]:
    """A verdict for every set, unneeded blob, unfinished download and stale note. Changes nothing.

    Args:
        now: seconds since the epoch; default: the clock.
    """
    now = time.time() if now is None else now
    notes = {note: _read_note(note) for note in _entries(store.users)}
    sets = [_judge_set(directory, notes) for directory in _entries(store.sets)]
    stale = [_removal("note", note, why) for note, (used, why) in notes.items() if used is False]
    busy = any_held(store.locks)
    blobs = _judge_blobs(store, sets, now, busy=busy)
    return [*sets, *blobs, *_judge_partials(store, now, busy=busy), *stale]


def carry_out(store: Store, verdicts: Iterable[Verdict]) -> None:
    """Delete what is not to be kept.

    Raises:
        OSError: if something can't be deleted; what was deleted until then is gone, and pruning again goes on.
    """
    for verdict in verdicts:
        if verdict.keep:
            continue
        if verdict.kind == "blob":
            for path in _visible_twins(store, verdict.path):
                path.unlink(missing_ok=True)
        if verdict.path.is_dir():  # a set, or where an installer worked
            # First the receipt, so that half a set never looks complete.
            (verdict.path / receipts.RECEIPT).unlink(missing_ok=True)
            shutil.rmtree(verdict.path)
            if private := graph_cache.private_place(verdict.path.name):
                graph_cache.discard(private)
        else:
            verdict.path.unlink(missing_ok=True)


def _judge_set(directory: Path, notes: dict[Path, tuple[bool | None, str]]) -> Verdict:
    users = [told for note, told in notes.items() if note.name.startswith(f"{directory.name}.")]
    if not users:
        return _kept("set", directory, "it is not known who uses it")
    for used, reason in users:
        if used is not False:
            return _kept("set", directory, reason)
    reasons = "; ".join(reason for _, reason in users)
    size = size_below(directory / graph_cache.FOLDER)
    return Verdict("set", directory, keep=False, reason=reasons, size=size)


def _read_note(note: Path) -> tuple[bool | None, str]:
    """Whether the note's environment uses the set (None: can't be judged), and why."""
    try:
        content = receipts.read_json(str(note))
        manifest, used = content["manifest"], content["set"]
        if not (isinstance(manifest, str) and isinstance(used, str)):
            raise ValueError("its values are no text")  # noqa: TRY004, TRY301 (one kind of damage)
    except (OSError, ValueError, KeyError) as error:
        return None, f"the note {note.name} can't be read ({error})"
    try:
        document = receipts.read_manifest(manifest)
        pinned = {receipts.set_name(entry) for entry in document["models"]}
    except (FileNotFoundError, NotADirectoryError):
        return False, f"the environment of {manifest} is gone"
    except (OSError, ValueError, KeyError, TypeError) as error:
        return None, f"{manifest} can't be read ({error})"
    if used in pinned:
        return True, f"used by the environment of {manifest}"
    return False, f"the environment of {manifest} pins other files now"


def _judge_blobs(store: Store, sets: list[Verdict], now: float, *, busy: bool) -> Iterator[Verdict]:
    kept = [_blobs_of(verdict.path) for verdict in sets if verdict.keep]
    if None in kept:
        return  # a set is being put together, or broken: which blobs it needs is not known
    needed = {sha256 for blobs in kept for sha256 in blobs or ()}
    removed = (_blobs_of(verdict.path) for verdict in sets if not verdict.keep)
    released = {sha256 for blobs in removed for sha256 in blobs or ()}
    for blob in _entries(store.blobs):
        if blob.name in needed:
            continue
        with contextlib.suppress(FileNotFoundError):  # removed meanwhile
            if busy:
                yield _kept("blob", blob, "somebody is putting a set together, perhaps with it")
            elif blob.name in released or now - blob.stat().st_mtime > OLD_SECONDS:
                yield _removal("blob", blob, "no set that stays has it")
            else:
                yield _kept("blob", blob, "it came less than a day ago, for a set still to be made")


def _blobs_of(directory: Path) -> set[str] | None:
    """The sha256 of a set's files, or None if its receipt does not tell."""
    try:
        receipt = receipts.read_json(str(directory / receipts.RECEIPT))
        return {sha256 for sha256, _ in receipt["pins"].values()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _judge_partials(store: Store, now: float, *, busy: bool) -> Iterator[Verdict]:
    for path in _entries(store.partial):
        # Finished, or claimed by another process, meanwhile.
        with contextlib.suppress(FileNotFoundError):
            yield _judge_partial(path, now, busy=busy)


def _judge_partial(path: Path, now: float, *, busy: bool) -> Verdict:
    owner = owner_of(path)
    if is_gone(owner):
        return _removal("partial", path, "its process is gone")
    if not busy and is_of_another_machine(owner):
        # A container that starts anew has another name.
        return _removal("partial", path, "another machine's, and nobody is fetching a model")
    if now - path.stat().st_mtime <= OLD_SECONDS:
        return _kept("partial", path, "it is less than a day old")
    if not is_abandoned(path):
        return _kept("partial", path, "its process is running")
    return _removal("partial", path, "left behind more than a day ago")


def _kept(kind: str, path: Path, reason: str) -> Verdict:
    return Verdict(kind, path, keep=True, reason=reason)


def _removal(kind: str, path: Path, reason: str) -> Verdict:
    return Verdict(kind, path, keep=False, reason=reason, size=path.stat().st_size)


def _visible_twins(store: Store, blob: Path) -> Iterator[Path]:
    """The same file in the tree that other tools see, which would keep its bytes on the disk."""
    for folder, _, names in os.walk(store.models_dir):
        for path in (Path(folder, name) for name in names):
            # Removed meanwhile, or a link that leads nowhere.
            with contextlib.suppress(OSError):
                if store.root not in path.parents and path.samefile(blob):
                    yield path


def _entries(directory: Path) -> list[Path]:
    try:
        return sorted(path for path in directory.iterdir() if not path.name.startswith("."))
    except OSError:
        return []
