"""`hatch-heimdall-models lock`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_heimdall_models.errors import ChangedAssetError
from hatch_heimdall_models.exit_codes import EXIT_FINDINGS, EXIT_OK
from hatch_heimdall_models.files import megabytes
from hatch_heimdall_models.lock import read_manifest, settle
from hatch_heimdall_models.lock_maker import LockMaker
from hatch_heimdall_models.project import read_project

if TYPE_CHECKING:
    import argparse

    from hatch_heimdall_models.manifest import Asset

_NEW, _ELSEWHERE = "to be uploaded", "released before"
_ASSETS_NAMED = 8
"""Assets of one release that are named; of a model of many files they are counted."""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "lock",
        help="write the lock, and pack release assets that are missing",
        description="Write the lock of a project: pin its model files, and the release assets that hold them. "
        "An asset that is not at ASSETS/TAG/NAME yet is packed there, the same bytes on every machine.",
        epilog="Exit codes: 0 done, 1 --check found differences, 2 error or usage (also when there is no model to check).",
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 when the lock would be changed"
    )
    parser.add_argument(
        "--project", type=Path, default=Path(), metavar="DIR", help="default: the current directory"
    )
    parser.add_argument(
        "--assets",
        type=Path,
        metavar="DIR",
        help="release assets, one folder per tag; default: dist/models in DIR",
    )
    parser.add_argument(
        "--tag", help="tag of the release that is to have the assets; default: by the configuration"
    )
    parser.add_argument(
        "--replace",
        action="store_true",
        help="let an asset that is locked already have other bytes: nobody has that release yet",
    )
    parser.add_argument(
        "--name", help="the distribution's name, where pyproject.toml does not say it"
    )
    parser.add_argument(
        "--version", help="the version that is to be released, where pyproject.toml does not say it"
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    root: Path = options.project
    project = read_project(root, name=options.name, version=options.version)
    path = root / project.config.lock
    old = read_manifest(path) if path.exists() else None
    assets = options.assets or root / "dist" / "models"
    with tempfile.TemporaryDirectory() as scratch:
        # To check is to make the same lock, with assets that nobody keeps.
        packed = Path(scratch) if options.check else assets
        maker = LockMaker(
            root,
            project.config,
            project.name,
            project.version,
            assets,
            packed,
            replace=options.replace or options.check,
        )
        try:
            new = maker.make(old, tag=options.tag)
        except ChangedAssetError as error:
            if not options.check:
                raise
            print(error)  # noqa: T201
            return EXIT_FINDINGS
    right, lines = settle(path, old, new, check=options.check, command="hatch-heimdall-models lock")
    print("\n".join(lines))  # noqa: T201
    if options.check:
        return EXIT_OK if right else EXIT_FINDINGS
    before = {asset for model in (old.models if old else ()) for asset in model.assets}
    told: dict[tuple[str, str], list[Asset]] = {}
    for asset in sorted(
        {asset for model in new.models for asset in model.assets},
        key=lambda asset: (asset.tag, asset.name),
    ):
        state = "to be uploaded if that release has it not yet" if asset in before else _NEW
        if not (assets / asset.tag / asset.name).is_file():
            state = _ELSEWHERE
        told.setdefault((asset.tag, state), []).append(asset)
    for (tag, state), these in told.items():
        rows = [(asset.name, asset.size, asset.name) for asset in these]
        if len(rows) > _ASSETS_NAMED:
            rows = [(f"{len(these):,} assets", sum(asset.size for asset in these), "")]
        for what, size, name in rows:
            place = "" if state == _ELSEWHERE else f"{(assets / tag / name).as_posix()}, "
            print(f"release {tag}: {what}, {megabytes(size)} ({place}{state})")  # noqa: T201
    return EXIT_OK
