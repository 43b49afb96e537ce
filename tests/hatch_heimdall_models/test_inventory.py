from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.inventory import HashedFile, take_inventory
from tests.support.capabilities import needs_any_bytes, needs_links, needs_odd_names
from tests.support.manifests import FILES, write_models

if TYPE_CHECKING:
    from pathlib import Path


def test_every_file_is_hashed_in_the_order_of_paths(tmp_path: Path) -> None:
    write_models(tmp_path)
    write_models(tmp_path, {"a/b/c.bin": b"deep", "a.bin": b"flat"})
    expected = {**FILES, "a/b/c.bin": b"deep", "a.bin": b"flat"}
    assert take_inventory(tmp_path) == tuple(
        HashedFile(path, hashlib.sha256(content).hexdigest(), len(content))
        for path, content in sorted(expected.items())
    )


@pytest.mark.parametrize("existing", [True, False])
def test_no_model_is_no_problem(tmp_path: Path, existing: bool) -> None:
    directory = tmp_path / "models"
    if existing:
        write_models(
            directory, {".gitkeep": b"", "folder/.gitignore": b"*", "folder/.DS_Store": b"x"}
        )
    assert take_inventory(directory) == ()


@needs_links
@needs_odd_names
def test_everything_that_is_no_model_file_is_named_at_once(tmp_path: Path) -> None:
    models, outside = tmp_path / "models", tmp_path / "outside.bin"
    outside.write_bytes(b"x")
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n"
    write_models(models, {"fine.bin": b"x", "empty.bin": b"", "lfs.bin": pointer, "bad:name": b"x"})
    (models / "folder").mkdir()
    (models / "out.bin").symlink_to(outside)
    (models / "linked").symlink_to(models / "folder")
    (models / "gone").symlink_to(models / "nowhere")
    os.mkfifo(models / "pipe")
    with pytest.raises(ModelBuildError) as caught:
        take_inventory(models)
    assert sorted(caught.value.problems) == [
        "bad:name is not a plain relative POSIX path",
        "empty.bin is empty",
        "gone is not a regular file",
        "lfs.bin is a Git LFS pointer, not the file itself: run 'git lfs pull'",
        "linked is a link to a folder",
        f"out.bin is a link that leaves the directory, to {outside}",
        "pipe is not a regular file",
    ]


@needs_links
@needs_any_bytes
def test_links_in_a_circle_and_names_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / os.fsdecode(b"caf\xe9")).write_bytes(b"x")
    with pytest.raises(ModelBuildError) as caught:
        take_inventory(tmp_path)
    assert sorted(caught.value.problems) == [
        "caf\\udce9 has a character that can't be seen (U+DCE9)",
        "circle is not a regular file",
    ]
    str(caught.value).encode()


def test_what_tools_leave_behind_is_ignored(tmp_path: Path) -> None:
    write_models(
        tmp_path,
        {
            ".git/config": b"url = https://me:TOKEN@github.com/me/net",
            "sub/.git": b"gitdir: ../.git/modules/sub",
            "__pycache__/x.pyc": b"x",
            ".cache/huggingface/download/net.metadata": b"x",
            "._net": b"x",
            "net": b"x",
        },
    )
    assert [file.path for file in take_inventory(tmp_path)] == ["net"]


@needs_links
def test_a_link_inside_is_followed(tmp_path: Path) -> None:
    write_models(tmp_path, {"a.bin": b"content"})
    (tmp_path / "b.bin").symlink_to("a.bin")
    first, second = take_inventory(tmp_path)
    assert (first.path, second.path) == ("a.bin", "b.bin")
    assert (first.sha256, first.size) == (second.sha256, second.size)


@needs_links
def test_the_directory_itself_may_be_a_link(tmp_path: Path) -> None:
    write_models(tmp_path / "real", {"a.bin": b"x"})
    (tmp_path / "models").symlink_to("real")
    assert [file.path for file in take_inventory(tmp_path / "models")] == ["a.bin"]
