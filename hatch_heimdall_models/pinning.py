"""Which pins a build writes into its distributions, and whether they are true.

| models under `models-dir` | lock | carried manifest | the build |
|---|---|---|---|
| present | yes | any | compares them with the lock, and writes the lock |
| present | no | yes | compares them with the manifest, and writes it again |
| present | no | no | fails: they have to be locked first |
| absent | yes | any | writes the lock: a fresh clone, or an sdist that has it |
| absent | no | yes | writes it again: an sdist |
| absent | no | no | fails |
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.inventory import take_inventory
from hatch_heimdall_models.lock import differences, read_manifest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from hatch_heimdall_models.config import HookConfig
    from hatch_heimdall_models.manifest import Manifest


_LOCK_COMMAND = "'hatch-heimdall-models lock' or the project's own lock command"


@dataclass(frozen=True, slots=True)
class Pins:
    """What a distribution will pin.

    Attributes:
        manifest: the pins.
        source: the file they were read from, relative to the project's root.
        checked: how many model files were there and compared with them; 0 when no model was there.
    """

    manifest: Manifest
    source: str
    checked: int


def pins_for(root: Path, config: HookConfig, *, distribution: str, version: str) -> Pins:
    """Decide by the table above.

    Args:
        root: the project's root.
        config: the hook's configuration.
        distribution: the project's name, which the pins must be for.
        version: the project's version, which a demanded tag may contain.

    Raises:
        ModelBuildError: if there are no pins, or they are not for this project, or the models
            differ from them.
    """
    files = take_inventory(root / config.models_dir)
    source = pins_file(root, config)
    if source is None:
        raise ModelBuildError(config.lock, [_nothing_pinned(config, present=bool(files))])
    manifest = read_manifest(root / source)
    if problems := list(_mismatches(manifest, config, distribution, version)):
        raise ModelBuildError(source, problems)
    # Without models the pins can't be checked: a fresh clone and an sdist have none, and are built
    # all the same.
    if files and (problems := differences(manifest, files, config.variant_folders)):
        raise ModelBuildError(
            f"{source} does not pin what lies in {config.models_dir} (lock the models again if they are right, "
            "else restore or remove them)",
            problems,
        )
    return Pins(manifest, source, len(files))


def pins_file(root: Path, config: HookConfig) -> str | None:
    """The file that holds the pins, relative to the project's root: the lock, else a carried manifest, else none."""
    return next((path for path in (config.lock, config.manifest) if (root / path).is_file()), None)


def licence_problems(config: HookConfig, carried: Sequence[str]) -> list[str]:
    """Licence files of the models that the distribution does not carry, a sentence each.

    Args:
        config: the hook's configuration.
        carried: the files that the project's `license-files` match (PEP 639).
    """
    paths = {path.replace("\\", "/") for path in carried}
    return [
        f"project.license-files: does not match {path}, the licence of the model {model.name} ({model.variant})"
        for model in config.models
        for path in model.license_files
        if path not in paths
    ]


def _nothing_pinned(config: HookConfig, *, present: bool) -> str:
    if present:
        return (
            f"there is no such file, but there are models in {config.models_dir}: pin them with {_LOCK_COMMAND} "
            "and commit the file, so that what is released is what was reviewed"
        )
    return (
        f"there is no such file, no model in {config.models_dir} and no {config.manifest} from an sdist, so nothing "
        f"says which models this distribution needs: get the models and pin them with {_LOCK_COMMAND}, "
        "or restore the file from version control"
    )


def _mismatches(
    manifest: Manifest, config: HookConfig, distribution: str, version: str
) -> Iterator[str]:
    """What shows that the pins are of another project, repository or release than this build's."""
    if _normalised(manifest.distribution) != _normalised(distribution):
        yield f"is for the distribution {manifest.distribution!r}, but this project is {distribution!r}"
    if manifest.repository.lower() != config.repository.lower():
        yield (
            f"pins assets of the repository {manifest.repository!r}, but the hook's 'repository' is "
            f"{config.repository!r}: lock again, or correct the option"
        )
    demanded = config.demanded_tag(version)
    for model in manifest.models:
        # Without a demand, older tags are welcome.
        others = sorted({asset.tag for asset in model.assets} - {demanded})
        if demanded is not None and others:
            yield (
                f"pins {model.name} ({model.variant}) under the tag {others[0]!r}, but the hook's 'tag' demands "
                f"{demanded!r}: lock again, or leave the option out to let unchanged models stay under older tags"
            )


def _normalised(name: str) -> str:
    """A distribution's name as package indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
