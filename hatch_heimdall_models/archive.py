"""A finished wheel or sdist, opened again: does it carry the manifest, and no model?"""

from __future__ import annotations

import posixpath
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.files import sha256_of_stream
from hatch_heimdall_models.manifest import Manifest, loads
from hatch_heimdall_models.members import is_wheel, members

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class ArchivePolicy:
    """What a finished archive has to carry and may not carry.

    Paths are those inside the archive; in an sdist, those below its one folder.

    Attributes:
        models_dir: the folder of which nothing is packed.
        manifest_path: where the manifest lies.
        manifest: what the manifest there says.
        max_wheel_size: bytes that a wheel may have at most; None for any number.
    """

    models_dir: str
    manifest_path: str
    manifest: Manifest
    max_wheel_size: int | None = None


def violations(archive: Path, policy: ArchivePolicy) -> list[str]:
    """Everything in which the archive violates the policy, a sentence each.

    A model's file is found by its content too, wherever it lies and whatever it is called, unless
    it travels inside the manifest; and so is a release asset.

    Args:
        archive: a wheel or an sdist.
        policy: what to look for.

    Raises:
        ValueError: if the name says that it is neither.
        OSError, zipfile.BadZipFile, tarfile.TarError: if it can't be read.
    """
    models = policy.manifest.models
    # What travels inside the manifest may be anything: many projects have the same config.json.
    known = {
        (file.size, file.sha256): f"the model's {file.path}"
        for model in models
        for file in model.files
        if file.inline is None
    }
    known |= {
        (asset.size, asset.sha256): f"the release asset {asset.name}"
        for model in models
        for asset in model.assets
        if (asset.size, asset.sha256) not in known
    }
    sizes = {size for size, _ in known}
    seen: Counter[str] = Counter()
    problems = []
    for member in members(archive):
        seen[member.path] += 1
        if member.path == policy.manifest_path:
            if not _says(member.stream.read(), policy.manifest):
                problems.append(f"carries another {member.path} than the one that is locked")
        elif f"{member.path}/".startswith(f"{policy.models_dir}/"):
            problems.append(f"carries {member.path}, which lies in models-dir")
        elif member.link is not None and (
            problem := _link_problem(member.path, member.link, policy.models_dir)
        ):
            problems.append(f"carries {member.path}, a link to {member.link}, which {problem}")
        # Hashing only what has a pinned size keeps this as cheap as reading the archive's
        # directory.
        elif member.size in sizes:
            sha256 = sha256_of_stream(member.stream)
            if what := known.get((member.size, sha256)):
                problems.append(f"carries {member.path}, which is {what} (sha256 {sha256})")
    if policy.manifest_path not in seen:
        problems.append(f"has no {policy.manifest_path}")
    # Of a tree that came out of an sdist, hatchling packs that one's PKG-INFO besides its own.
    del seen["PKG-INFO"]
    problems += [
        f"has {count} members called {path}" for path, count in sorted(seen.items()) if count > 1
    ]
    limit, size = policy.max_wheel_size, archive.stat().st_size
    if limit is not None and is_wheel(archive) and size > limit:
        problems.append(
            f"has {size} bytes, {size - limit} more than max-wheel-size allows ({limit})"
        )
    return problems


def _says(content: bytes, manifest: Manifest) -> bool:
    try:
        # Not compared byte by byte: Git may have given a committed file other line ends.
        return loads(content.decode(), subject="the manifest") == manifest
    except (ModelBuildError, UnicodeDecodeError):
        return False


def _link_problem(path: str, link: str, models_dir: str) -> str | None:
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), link))
    if target.startswith(("/", "../")):
        return "leaves the archive"
    return "lies in models-dir" if f"{target}/".startswith(f"{models_dir}/") else None
