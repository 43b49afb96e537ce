"""A finished wheel or sdist, opened again: does it carry the manifest, and no model?"""

from __future__ import annotations

import hashlib
import io
import posixpath
import tarfile
import zipfile
from collections import Counter
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from hatch_heimdall_models.manifest import INLINE_LIMIT, Manifest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SDIST_SUFFIX = ".tar.gz"
WHEEL_SUFFIX = ".whl"


@dataclass(frozen=True, slots=True)
class ArchivePolicy:
    """What a finished archive has to carry and may not carry.

    Paths are those inside the archive; in an sdist, those below its one folder.

    Attributes:
        models_dir: the folder of which nothing is packed.
        manifest_path: where the manifest lies.
        manifest: the manifest that lies there, byte for byte as `Manifest.dumps` writes it.
        max_wheel_size: bytes that a wheel may have at most; None for any number.
    """

    models_dir: str
    manifest_path: str
    manifest: Manifest
    max_wheel_size: int | None = None


def violations(archive: Path, policy: ArchivePolicy) -> list[str]:
    """Everything in which the archive violates the policy, a sentence each.

    A model's file is found by its content too, wherever it lies and whatever it is called, if it is
    too large to travel inside the manifest; and so is a release asset.

    Args:
        archive: a wheel or an sdist.
        policy: what to look for.

    Raises:
        ValueError: if the name says that it is neither.
        OSError, zipfile.BadZipFile, tarfile.TarError: if it can't be read.
    """
    models = policy.manifest.models
    # Small files travel inside the manifest anyway, and may be anything: many projects have the
    # same config.json.
    known = {
        (file.size, file.sha256): f"the model's {file.path}"
        for model in models
        for file in model.files
        if file.size > INLINE_LIMIT
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
    for member in _members(archive):
        seen[member.path] += 1
        if member.path == policy.manifest_path:
            if member.stream.read() != policy.manifest.dumps().encode():
                problems.append(
                    f"carries another {member.path} than the one that was to be written"
                )
        elif f"{member.path}/".startswith(f"{policy.models_dir}/"):
            problems.append(f"carries {member.path}, which lies in models-dir")
        elif member.link is not None and (
            problem := _link_problem(member.path, member.link, policy.models_dir)
        ):
            problems.append(f"carries {member.path}, a link to {member.link}, which {problem}")
        # Hashing only what has a pinned size keeps this as cheap as reading the archive's
        # directory.
        elif member.size in sizes:
            sha256 = hashlib.file_digest(member.stream, "sha256").hexdigest()  # type: ignore[arg-type]
            if what := known.get((member.size, sha256)):
                problems.append(f"carries {member.path}, which is {what} (sha256 {sha256})")
    if policy.manifest_path not in seen:
        problems.append(f"has no {policy.manifest_path}")
    problems += [
        f"has {count} members called {path}" for path, count in sorted(seen.items()) if count > 1
    ]
    limit, size = policy.max_wheel_size, archive.stat().st_size
    if limit is not None and archive.name.endswith(WHEEL_SUFFIX) and size > limit:
        problems.append(
            f"has {size} bytes, {size - limit} more than max-wheel-size allows ({limit})"
        )
    return problems


@dataclass(frozen=True, slots=True)
class _Member:
    """A file in an archive; its stream can be read until the next member is asked for.

    A link has no content.
    """

    path: str
    size: int
    stream: IO[bytes]
    link: str | None = None


def _link_problem(path: str, link: str, models_dir: str) -> str | None:
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), link))
    if target.startswith(("/", "../")):
        return "leaves the archive"
    return "lies in models-dir" if f"{target}/".startswith(f"{models_dir}/") else None


def _members(archive: Path) -> Iterator[_Member]:
    if archive.name.endswith(WHEEL_SUFFIX):
        with zipfile.ZipFile(archive) as wheel:
            for info in wheel.infolist():
                with wheel.open(info) as stream:
                    yield _Member(info.filename, info.file_size, stream)
    elif archive.name.endswith(SDIST_SUFFIX):
        with tarfile.open(archive, "r:gz") as sdist:
            for member in sdist:
                path = member.name.partition("/")[2]
                content = sdist.extractfile(member) if member.isfile() else None
                link = member.linkname if member.issym() else None
                yield _Member(path, member.size, content or io.BytesIO(), link)
    else:
        raise ValueError(f"{archive} is neither a wheel nor an sdist")
