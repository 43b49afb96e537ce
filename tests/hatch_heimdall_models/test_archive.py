from __future__ import annotations

import hashlib
import io
import tarfile
import warnings
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hatch_heimdall_models.archive import ArchivePolicy, violations
from tests.support.manifests import FILES, LARGE, manifest_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

POLICY = ArchivePolicy("pkg/models", "pkg/manifest.json", manifest_of())
GOOD = [
    ("pkg/__init__.py", b""),
    ("pkg/models.py", b"x = 1"),
    ("pkg/manifest.json", manifest_of().dumps().encode()),
]


def _write(folder: Path, kind: str, members: Sequence[tuple[str, bytes]]) -> Path:
    if kind == "wheel":
        path = folder / "pkg-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as wheel, warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Duplicate name", UserWarning)
            for name, content in members:
                wheel.writestr(name, content)
        return path
    path = folder / "pkg-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as sdist:
        for name, content in members:
            info = tarfile.TarInfo(f"pkg-1.0/{name}")
            info.size = len(content)
            sdist.addfile(info, io.BytesIO(content))
    return path


OTHER = manifest_of(repository="me/other").dumps().encode()

kinds = pytest.mark.parametrize("kind", ["wheel", "sdist"])


@kinds
def test_a_good_archive_breaks_none(tmp_path: Path, kind: str) -> None:
    assert violations(_write(tmp_path, kind, GOOD), POLICY) == []


@kinds
@pytest.mark.parametrize(
    "path", ["pkg/models/model.safetensors", "pkg/models/a/b/c", "pkg/models/.gitkeep"]
)
def test_anything_in_the_models_folder_is_found(tmp_path: Path, kind: str, path: str) -> None:
    archive = _write(tmp_path, kind, [*GOOD, (path, b"whatever")])
    assert violations(archive, POLICY) == [f"carries {path}, which lies in models-dir"]


@kinds
def test_a_model_is_found_by_its_content_wherever_it_lies(tmp_path: Path, kind: str) -> None:
    members = [
        ("pkg/renamed.bin", FILES["model.safetensors"]),
        ("pkg-1.0.data/data/x", FILES["tokenizer/tokenizer.json"]),
    ]
    problems = violations(_write(tmp_path, kind, [*GOOD, *members]), POLICY)
    assert [problem.partition(" (")[0] for problem in problems] == [
        "carries pkg/renamed.bin, which is the model's model.safetensors",
        "carries pkg-1.0.data/data/x, which is the model's tokenizer/tokenizer.json",
    ]


@kinds
def test_small_files_and_other_large_ones_may_be_anywhere(tmp_path: Path, kind: str) -> None:
    same_size = bytes(len(LARGE))
    members = [("pkg/config.json", FILES["model_config.json"]), ("pkg/data.bin", same_size)]
    assert violations(_write(tmp_path, kind, [*GOOD, *members]), POLICY) == []


@kinds
def test_a_missing_manifest(tmp_path: Path, kind: str) -> None:
    assert violations(_write(tmp_path, kind, GOOD[:-1]), POLICY) == ["has no pkg/manifest.json"]


@kinds
def test_another_manifest(tmp_path: Path, kind: str) -> None:
    archive = _write(tmp_path, kind, [*GOOD[:-1], ("pkg/manifest.json", OTHER)])
    assert violations(archive, POLICY) == [
        "carries another pkg/manifest.json than the one that is locked"
    ]


@kinds
def test_a_manifest_with_the_line_ends_of_a_windows_checkout(tmp_path: Path, kind: str) -> None:
    windows = GOOD[-1][1].replace(b"\n", b"\r\n")
    assert (
        violations(_write(tmp_path, kind, [*GOOD[:-1], ("pkg/manifest.json", windows)]), POLICY)
        == []
    )


@kinds
def test_a_member_that_is_there_twice(tmp_path: Path, kind: str) -> None:
    assert violations(_write(tmp_path, kind, [*GOOD, GOOD[-1]]), POLICY) == [
        "has 2 members called pkg/manifest.json"
    ]


def test_metadata_of_the_sdist_that_a_tree_came_out_of(tmp_path: Path) -> None:
    info = ("PKG-INFO", b"Name: pkg")
    assert violations(_write(tmp_path, "sdist", [*GOOD, info, info]), POLICY) == []


def test_a_link_in_an_sdist_has_no_content(tmp_path: Path) -> None:
    archive = tmp_path / "pkg-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as sdist:
        link = tarfile.TarInfo("pkg-1.0/pkg/manifest.json")
        link.type, link.linkname = tarfile.SYMTYPE, "elsewhere"
        sdist.addfile(link)
    assert violations(archive, POLICY) == [
        "carries another pkg/manifest.json than the one that is locked"
    ]


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("models/model.safetensors", "lies in models-dir"),
        ("../pkg/models", "lies in models-dir"),
        ("/elsewhere/model.safetensors", "leaves the archive"),
        ("../../model.safetensors", "leaves the archive"),
        ("models.py", None),
    ],
)
def test_a_link_in_an_sdist_stays_inside_and_out_of_the_models(
    tmp_path: Path, target: str, problem: str | None
) -> None:
    archive = tmp_path / "pkg-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as sdist:
        for name, content in GOOD:
            info = tarfile.TarInfo(f"pkg-1.0/{name}")
            info.size = len(content)
            sdist.addfile(info, io.BytesIO(content))
        link = tarfile.TarInfo("pkg-1.0/pkg/link")
        link.type, link.linkname = tarfile.SYMTYPE, target
        sdist.addfile(link)
    expected = [f"carries pkg/link, a link to {target}, which {problem}"] if problem else []
    assert violations(archive, POLICY) == expected


def test_a_release_asset_is_found_by_its_content(tmp_path: Path) -> None:
    content = b"asset"
    asset = replace(
        POLICY.manifest.models[0].asset,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
    )
    manifest = replace(POLICY.manifest, models=(replace(POLICY.manifest.models[0], asset=asset),))
    members = [*GOOD[:-1], ("pkg/manifest.json", manifest.dumps().encode()), ("pkg/x.bin", content)]
    (problem,) = violations(_write(tmp_path, "wheel", members), replace(POLICY, manifest=manifest))
    assert (
        problem
        == f"carries pkg/x.bin, which is the release asset {asset.name} (sha256 {asset.sha256})"
    )


def test_the_size_of_a_wheel_is_limited_and_that_of_an_sdist_is_not(tmp_path: Path) -> None:
    wheel, sdist = _write(tmp_path, "wheel", GOOD), _write(tmp_path, "sdist", GOOD)
    size = wheel.stat().st_size
    assert violations(wheel, replace(POLICY, max_wheel_size=size)) == []
    assert violations(wheel, replace(POLICY, max_wheel_size=size - 1)) == [
        f"has {size} bytes, 1 more than max-wheel-size allows ({size - 1})"
    ]
    assert violations(sdist, replace(POLICY, max_wheel_size=1)) == []


def test_another_kind_of_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="neither a wheel nor an sdist"):
        violations(tmp_path / "x.tar", POLICY)
