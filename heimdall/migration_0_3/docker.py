"""Named volumes of Docker, read through the `docker` command without changing, starting or fetching anything.

A volume can be read through a container that has it, running or not: `docker cp` needs neither an image nor a shell
in there. Volumes without a container are named, and left.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from heimdall.errors import HeimdallError

_OF_INTEREST = re.compile(r"heimdall|qdrant", re.IGNORECASE)
_SECONDS = 30
_COPY_SECONDS = 3600


class DockerError(HeimdallError):
    """The `docker` command could not say or do something.

    Attributes:
        problem: what it said.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return f"docker: {self.problem}"


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
    return shutil.which("docker") is not None


def volumes() -> list[Volume]:
    """The volumes whose names speak of heimdall or Qdrant.

    Raises:
        DockerError: docker does not answer.
    """
    names = _docker("volume", "ls", "--format", "{{.Name}}").split()
    return [_volume(name) for name in sorted(names) if _OF_INTEREST.search(name)]


def _volume(name: str) -> Volume:
    running = _docker("ps", "--filter", f"volume={name}", "--format", "{{.ID}}").split()
    every = _docker("ps", "--all", "--filter", f"volume={name}", "--format", "{{.ID}}").split()
    for container in every:
        mounts = json.loads(_docker("inspect", "--format", "{{json .Mounts}}", container))
        for mount in mounts:
            if mount.get("Name") == name:
                return Volume(name, container, str(mount["Destination"]), bool(running))
    return Volume(name, None, "", bool(running))


@contextlib.contextmanager
def copied(volume: Volume, target: Path) -> Iterator[Path]:
    """A copy of a volume's files in `target`, which is made.

    Raises:
        DockerError: docker could not copy them, or they are nothing that a folder of data has.
    """
    command = ["docker", "cp", f"{volume.container}:{volume.inside}/.", "-"]
    target.mkdir(parents=True)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None  # noqa: S101 (asked for above)
        assert process.stderr is not None  # noqa: S101
        try:
            with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
                archive.extractall(target, filter="data")
        except (tarfile.TarError, OSError) as error:
            process.kill()
            said = process.stderr.read().decode(errors="replace").strip()
            raise DockerError(
                f"the volume {volume.name} could not be copied: {said or error}"
            ) from error
        code = process.wait(_COPY_SECONDS)
        if code:
            said = process.stderr.read().decode(errors="replace").strip()
            raise DockerError(f"the volume {volume.name} could not be copied: {said}")
    yield target


def _docker(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["docker", *arguments], capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise DockerError(str(error)) from error
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"ended with {done.returncode}"]
        raise DockerError(lines[-1])
    return done.stdout
