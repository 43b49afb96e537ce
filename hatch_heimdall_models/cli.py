"""The command `hatch-heimdall-models`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.exit_codes import EXIT_ERROR, EXIT_FINDINGS, EXIT_INTERRUPTED, EXIT_OK
from hatch_heimdall_models.files import megabytes
from hatch_heimdall_models.lock import read_manifest, settle
from hatch_heimdall_models.lock_maker import LockMaker

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Its exit code: 0 done, 1 checked and found wanting, 2 error or usage, 130 interrupted.
    """
    options = _parser().parse_args(arguments)
    try:
        return _lock(options.project, options.assets, options.tag, check=options.check)
    except (ModelBuildError, OSError) as error:
        print(f"hatch-heimdall-models: error: {error}", file=sys.stderr)  # noqa: T201
        return EXIT_ERROR
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)  # noqa: T201
        return EXIT_INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hatch-heimdall-models", description="Pin a project's models."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    lock = commands.add_parser(
        "lock",
        help="write the lock, and pack release assets that are missing",
        description="Write the lock of a project: pin its model files, and the release assets that hold them. "
        "An asset that is not at ASSETS/TAG/NAME yet is packed there, the same bytes on every machine.",
        epilog="Exit codes: 0 done, 1 --check found differences, 2 error or usage.",
    )
    lock.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 when the lock would be changed"
    )
    lock.add_argument(
        "--project", type=Path, default=Path(), metavar="DIR", help="default: the current directory"
    )
    lock.add_argument(
        "--assets",
        type=Path,
        metavar="DIR",
        help="release assets, one folder per tag; default: dist/models in DIR",
    )
    lock.add_argument(
        "--tag", help="tag of the release that is to have the assets; default: by the configuration"
    )
    return parser


def _lock(root: Path, assets: Path | None, tag: str | None, *, check: bool) -> int:
    # Alone in needing hatchling, whose plugins work out the version.
    from hatch_heimdall_models.project import read_project

    project = read_project(root)
    path = root / project.config.lock
    old = read_manifest(path) if path.exists() else None
    assets = assets or root / "dist" / "models"
    with tempfile.TemporaryDirectory() as scratch:
        # To check is to make the same lock, with assets that nobody keeps.
        packed = Path(scratch) if check else assets
        maker = LockMaker(root, project.config, project.name, project.version, assets, packed)
        new = maker.make(old, tag=tag)
    right, lines = settle(path, old, new, check=check, command="hatch-heimdall-models lock")
    print("\n".join(lines))  # noqa: T201
    if check:
        return EXIT_OK if right else EXIT_FINDINGS
    for asset in sorted(
        {asset for model in new.models for asset in model.assets},
        key=lambda asset: (asset.tag, asset.name),
    ):
        place = assets / asset.tag / asset.name
        held = f"{place}, to be uploaded" if place.is_file() else "released before"
        print(f"release {asset.tag}: {asset.name}, {megabytes(asset.size)} ({held})")  # noqa: T201
    return EXIT_OK
