"""Is there room for what is to come?"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from functools import partial

from heimdall.cognitive_system.data_dirs import shared_directories
from heimdall.doctor.finding import Finding, Request, failed, not_checked, passed, warned
from heimdall.models.errors import ManifestError
from heimdall.models.manifest import read_model
from heimdall.models.space import inodes_are_gone
from heimdall.models.text import megabytes

_COMFORT = 200_000_000
"""Bytes. With less, memories, their backups or a new model may soon not fit."""
_ADVICE = "make room there, or set HEIMDALL_DATA_DIR to a larger disk"


def check(_request: Request) -> Iterator[Finding]:
    """The filesystem of the models, which are what is large."""
    path = shared_directories()["models_dir"]
    existing = next(place for place in (path, *path.parents) if os.path.exists(place))  # noqa: PTH110 (False, not an error, where one may not look)
    try:
        total, _, free = shutil.disk_usage(existing)
    except OSError as error:
        yield not_checked("free_space", existing, f"the filesystem does not say ({error.strerror})")
        return
    fail = partial(failed, "free_space", existing)
    needed = _needed()
    if not total:
        yield not_checked("free_space", existing, "it is no filesystem that keeps files")
    elif free < needed:
        problem = f"{megabytes(free)} free, the model still needs {megabytes(needed)}"
        yield fail(problem, _ADVICE)
    elif inodes_are_gone(existing):
        yield fail("no more files can be made: the filesystem has no free inodes", _ADVICE)
    elif free < _COMFORT:
        yield warned("free_space", existing, f"only {megabytes(free)} free", _ADVICE)
    else:
        yield passed("free_space", existing, f"{free / 1e9:.1f} GB free")


def _needed() -> int:
    """Bytes that fetching takes: the asset and what is unpacked from it."""
    try:
        model = read_model()
    except ManifestError:
        return 0  # said by the check of the manifest
    if model.locate().here:
        return 0
    archives = {asset for asset, _ in model.assets_for(model.fetched) if asset}
    return model.size + sum(one.size for one in archives if not one.is_among(model.files))
