"""Named volumes of Docker, read through the `docker` command without changing, starting or fetching anything.

A volume can be read through a container that has it, running or not: `docker cp` needs neither an
image nor a shell in there. Volumes without a container are named, and left.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from heimdall.errors import HeimdallError
from heimdall.migration_0_3 import qdrant
from heimdall.migration_0_3.report import MigrationError, Options, Outcome, Step, failure

_COMMAND = "docker"
_OF_INTEREST = re.compile(r"heimdall|qdrant", re.IGNORECASE)
_SECONDS = 30
_COPY_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Volume:
    """A named volume.

    Attributes:
        name: its name.
        container: one that has it; None if none does.
        inside: where it is in that container.
        running: whether a container that has it runs, so that its files may change.
    """

    name: str
    container: str | None
    inside: str
    running: bool


def is_here() -> bool:
    """Whether there is a `docker` command."""
    return shutil.which(_COMMAND) is not None


def volumes() -> list[Volume]:
    """The volumes whose names speak of heimdall or Qdrant.

    Raises:
        MigrationError: docker does not answer.
    """
    names = _docker("volume", "ls", "--format", "{{.Name}}").split()
    return [_volume(name) for name in sorted(names) if _OF_INTEREST.search(name)]


def _volume(name: str) -> Volume:
    having_it = ("--filter", f"volume={name}", "--format", "{{.ID}}")
    running = bool(_docker("ps", *having_it).split())
    for container in _docker("ps", "--all", *having_it).split():
        mounts = json.loads(_docker("inspect", "--format", "{{json .Mounts}}", container))
        for mount in mounts:
            if mount.get("Name") == name:
                return Volume(name, container, str(mount["Destination"]), running)
    return Volume(name, None, "", running)


def migrate(volume: Volume, shared: Path, options: Options) -> Iterator[Step]:
    """Copy a volume's collections into the shared Qdrant directory.

    The volume itself stays in any case.
    """
    step = Step("volume", f"docker volume {volume.name}", Outcome.LEFT)
    if volume.container is None:
        detail = "no container has it, so docker can't read it without starting one; make one that mounts it"
        yield replace(step, detail=detail)
    elif volume.running:
        detail = f"in use: 'docker stop {volume.container}', then migrate again"
        yield replace(step, detail=detail)
    elif options.dry_run:
        detail = "as a verified copy, if it is Qdrant's"
        yield replace(step, outcome=Outcome.PLANNED, target=str(shared), detail=detail)
    else:
        try:
            yield from _migrate_copy(volume, step, shared)
        except (HeimdallError, OSError) as error:
            yield failure("volume", step.source, error)


def _migrate_copy(volume: Volume, step: Step, shared: Path) -> Iterator[Step]:
    with TemporaryDirectory(prefix="heimdall-") as folder:
        copy = Path(folder) / "volume"
        try:
            _docker("cp", f"{volume.container}:{volume.inside}/.", str(copy), seconds=_COPY_SECONDS)
        except MigrationError as error:
            problem = f"the volume {volume.name} could not be copied: {error.problem}"
            raise MigrationError(_COMMAND, problem) from error
        storage = qdrant.recognise(copy)
        if storage is None:
            yield replace(step, detail="it holds nothing of Qdrant's")
            return
        remedy = f"'docker volume rm {volume.name}' removes it when you no longer want it"
        # The copy is not the volume: it is never what `remove` is about.
        for each in qdrant.migrate(storage, shared, Options()):
            inside = Path(each.source).relative_to(copy).as_posix()
            source, detail = f"{step.source}: {inside}", f"{each.detail}; {remedy}"
            yield replace(each, kind="volume", source=source, detail=detail)


def _docker(*arguments: str, seconds: float = _SECONDS) -> str:
    try:
        done = subprocess.run(
            [_COMMAND, *arguments], capture_output=True, text=True, timeout=seconds, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise MigrationError(_COMMAND, str(error)) from error
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"ended with {done.returncode}"]
        raise MigrationError(_COMMAND, lines[-1])
    return done.stdout
