"""`hatch-heimdall-models check`."""

from __future__ import annotations

import glob
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_heimdall_models.checking import archive_problems, missing_licences
from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.exit_codes import EXIT_FINDINGS, EXIT_OK
from hatch_heimdall_models.files import sha256_of
from hatch_heimdall_models.lock import read_manifest
from hatch_heimdall_models.members import is_distribution, is_wheel
from hatch_heimdall_models.project import read_config

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from hatch_heimdall_models.manifest import Manifest


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "check",
        help="look into finished wheels and sdists",
        description="Open finished wheels and sdists, of any build backend: each has to carry the manifest as it is locked, "
        "no model and no release asset under any name; a wheel carries the models' licences too, and may not be larger "
        "than max-wheel-size.",
        epilog="Folders, and files that are no distributions, are passed over. "
        "Exit codes: 0 all are right, 1 one is not, 2 error or usage.",
    )
    parser.add_argument(
        "archives", nargs="+", metavar="ARCHIVE", help="a wheel or sdist; for example dist/*"
    )
    parser.add_argument(
        "--project", type=Path, default=Path(), metavar="DIR", help="default: the current directory"
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    config = read_config(options.project)
    path = options.project / config.lock
    if not path.is_file():
        problem = "there is no such file: pin the models with 'hatch-heimdall-models lock'"
        raise ModelBuildError(str(path), [problem])
    lock = read_manifest(path)
    checked = wrong = 0
    for archive in _named(options.archives):
        if reason := _reason_to_pass_over(archive, lock):
            print(f"{archive}: passed over, {reason}")  # noqa: T201
            continue
        try:
            problems = archive_problems(archive, config, lock)
            if is_wheel(archive):
                problems += missing_licences(archive, config, options.project)
        except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError) as error:
            raise ModelBuildError(str(archive), [f"can't be read: {error}"]) from error
        checked += 1
        wrong += bool(problems)
        size = f"{archive.stat().st_size:,} bytes"
        verdict = "; ".join(problems) or f"carries the manifest, and no model ({size})"
        print(f"{archive}: {verdict}")  # noqa: T201
    if not checked:
        raise ModelBuildError(
            " ".join(options.archives), ["there is no wheel and no sdist among them: build first"]
        )
    return EXIT_FINDINGS if wrong else EXIT_OK


def _named(arguments: Sequence[str]) -> Iterator[Path]:
    for argument in arguments:
        # Windows' shells leave patterns to programs.
        matches = [] if Path(argument).exists() else sorted(glob.glob(argument))  # noqa: PTH207
        yield from map(Path, matches or [argument])


def _reason_to_pass_over(path: Path, lock: Manifest) -> str | None:
    if path.is_dir():
        return "a folder"
    if not is_distribution(path):
        # What was typed by hand and is not there is a mistake, whatever its name.
        path.stat()
        return "neither a wheel nor an sdist"
    for model in lock.models:
        for asset in model.assets:
            if path.stat().st_size == asset.size and sha256_of(path) == asset.sha256:
                return f"the release asset {asset.name}"
    return None
