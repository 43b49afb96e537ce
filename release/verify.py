"""`release verify`: what is published, held against what is pinned in the lock and in the wheel that users install."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from hatch_heimdall_models.asset import read_asset
from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.inventory import HashedFile
from hatch_heimdall_models.manifest import Asset, Manifest
from release.assets import SUMS_NAME, pinned_assets, sums_bytes
from release.attestation import attested
from release.gh import Gh
from release.public import fetch_published
from release.wheel_pins import WheelPins


def verify(
    lock: Manifest, tag: str, wheel: WheelPins | None, say: Callable[[str], None]
) -> list[str]:
    """Everything that is not as it should be, a sentence each.

    Every asset that the lock pins is downloaded by its public URL, also one of an older release:
    that is what users of this release fetch.

    Args:
        lock: what the release pins.
        tag: of the release.
        wheel: what a wheel pins, if one is to be compared.
        say: receives a line about each thing that is right, or could not be looked at.
    """
    problems: list[str] = []
    if wheel is not None:
        problems += _wheel_problems(lock, tag, wheel)
        if not problems:
            say(f"{wheel.subject} pins what the lock pins")
    gh = Gh(lock.repository)
    with tempfile.TemporaryDirectory() as folder:
        for asset in sorted(
            {asset for model in lock.models for asset in model.assets},
            key=lambda one: (one.tag, one.name),
        ):
            try:
                path = fetch_published(gh, asset, Path(folder), say)
                problems += _content_problems(lock, asset, path)
                problems += attested(gh, path, say)
            except ModelBuildError as error:
                problems.append(str(error))
        # A release without assets of its own has no sums either.
        if pins := pinned_assets(lock, tag):
            content = sums_bytes(pins)
            sums = Asset(tag, SUMS_NAME, hashlib.sha256(content).hexdigest(), len(content))
            try:
                fetch_published(gh, sums, Path(folder), say)
            except ModelBuildError as error:
                problems.append(str(error))
    return problems


def _wheel_problems(lock: Manifest, tag: str, wheel: WheelPins) -> Iterator[str]:
    if f"v{wheel.version}" != tag:
        yield f"{wheel.subject} is version {wheel.version}, whose tag is v{wheel.version}, not {tag}"
    if wheel.manifest != lock:
        yield f"{wheel.subject} pins something else than the lock: it was built from another state of the project"


def _content_problems(lock: Manifest, asset: Asset, path: Path) -> Iterator[str]:
    if any(file.sha256 == asset.sha256 for model in lock.models for file in model.files):
        return  # it is that file, and was compared when it arrived
    held = read_asset(path)
    for model in lock.models:
        pinned = tuple(HashedFile(file.path, file.sha256, file.size) for file in model.files)
        if asset in model.assets and held != tuple(sorted(pinned, key=lambda file: file.path)):
            yield f"{asset.name} holds other files than the lock pins for {model.name} ({model.variant})"
