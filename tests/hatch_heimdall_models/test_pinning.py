from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hatch_heimdall_models.config import HookConfig, ModelConfig
from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.pinning import Pins, licence_problems, pins_for
from tests.support.manifests import FILES, manifest_of, write_models

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

CONFIG = HookConfig("pkg/models", "pkg/manifest.json", "lcbcFoo/heimdall-mcp-server")
LOCKED = manifest_of()
CARRIED = manifest_of({"carried.bin": b"x"})


def _project(root: Path, *, models: bool, lock: bool, carried: bool) -> None:
    if models:
        write_models(root / CONFIG.models_dir)
    (root / "pkg").mkdir(exist_ok=True)
    if lock:
        (root / CONFIG.lock).write_text(LOCKED.dumps(), encoding="utf-8")
    if carried:
        (root / CONFIG.manifest).write_text((CARRIED if lock else LOCKED).dumps(), encoding="utf-8")


@pytest.mark.parametrize(
    ("models", "lock", "carried", "source"),
    [
        (True, True, False, CONFIG.lock),
        (True, True, True, CONFIG.lock),
        (True, False, True, CONFIG.manifest),
        (False, True, False, CONFIG.lock),
        (False, True, True, CONFIG.lock),
        (False, False, True, CONFIG.manifest),
    ],
)
def test_where_the_pins_come_from(
    tmp_path: Path, models: bool, lock: bool, carried: bool, source: str
) -> None:
    _project(tmp_path, models=models, lock=lock, carried=carried)
    assert pins_for(tmp_path, CONFIG, distribution="heimdall-mcp", version="1.0") == Pins(
        LOCKED, source, len(FILES) if models else 0
    )


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (True, "there are models in pkg/models: pin them with 'hatch-heimdall-models lock'"),
        (False, "no model in pkg/models and no pkg/manifest.json from an sdist"),
    ],
)
def test_nothing_pinned(tmp_path: Path, models: bool, message: str) -> None:
    _project(tmp_path, models=models, lock=False, carried=False)
    with pytest.raises(ModelBuildError, match=message) as caught:
        pins_for(tmp_path, CONFIG, distribution="heimdall-mcp", version="1.0")
    assert caught.value.subject == CONFIG.lock


@pytest.mark.parametrize("lock", [True, False])
def test_models_that_differ_from_the_pins(tmp_path: Path, lock: bool) -> None:
    _project(tmp_path, models=True, lock=lock, carried=not lock)
    write_models(tmp_path / CONFIG.models_dir, {"model_config.json": b"{}", "extra.bin": b"x"})
    with pytest.raises(ModelBuildError) as caught:
        pins_for(tmp_path, CONFIG, distribution="heimdall-mcp", version="1.0")
    assert caught.value.subject.startswith(CONFIG.lock if lock else CONFIG.manifest)
    assert [problem.split()[0] for problem in caught.value.problems] == [
        "extra.bin",
        "model_config.json:",
    ]


def test_refused_model_files_fail_before_anything_else(tmp_path: Path) -> None:
    _project(tmp_path, models=False, lock=True, carried=False)
    write_models(tmp_path / CONFIG.models_dir, {"model.safetensors": b""})
    with pytest.raises(ModelBuildError, match=r"model\.safetensors is empty"):
        pins_for(tmp_path, CONFIG, distribution="heimdall-mcp", version="1.0")


@pytest.mark.parametrize("name", ["heimdall-mcp", "Heimdall_MCP", "heimdall.mcp"])
def test_names_are_compared_as_package_indexes_do(tmp_path: Path, name: str) -> None:
    _project(tmp_path, models=False, lock=True, carried=False)
    assert pins_for(tmp_path, CONFIG, distribution=name, version="1.0").manifest == LOCKED


def test_pins_of_another_project_are_refused(tmp_path: Path) -> None:
    (tmp_path / CONFIG.lock).write_text(
        manifest_of(repository="other/fork").dumps(), encoding="utf-8"
    )
    with pytest.raises(ModelBuildError) as caught:
        pins_for(tmp_path, CONFIG, distribution="another", version="1.0")
    assert caught.value.subject == CONFIG.lock
    assert [problem.split("'")[1] for problem in caught.value.problems] == [
        "heimdall-mcp",
        "other/fork",
    ]


@pytest.mark.parametrize("lock", [True, False])
@pytest.mark.parametrize(("tag", "version"), [("v{version}", "0.2.0"), ("models-2", "0.1.0")])
def test_a_demanded_tag_refuses_pins_of_another_one(
    tmp_path: Path, lock: bool, tag: str, version: str
) -> None:
    _project(tmp_path, models=True, lock=lock, carried=not lock)
    config = replace(CONFIG, tag=tag)
    with pytest.raises(
        ModelBuildError, match=r"under the tag 'v0\.1\.0', but the hook's 'tag' demands"
    ) as caught:
        pins_for(tmp_path, config, distribution="heimdall-mcp", version=version)
    assert caught.value.subject == (CONFIG.lock if lock else CONFIG.manifest)
    assert repr(tag.replace("{version}", version)) in str(caught.value)


@pytest.mark.parametrize(
    ("tag", "version"), [(None, "0.2.0"), ("v{version}", "0.1.0"), ("v0.1.0", "0.2.0")]
)
def test_an_older_tag_is_right_unless_another_one_is_demanded(
    tmp_path: Path, tag: str | None, version: str
) -> None:
    _project(tmp_path, models=True, lock=True, carried=False)
    pins = pins_for(
        tmp_path, replace(CONFIG, tag=tag), distribution="heimdall-mcp", version=version
    )
    assert pins.manifest.models[0].asset.tag == "v0.1.0"


def test_each_licence_that_is_not_carried_is_named() -> None:
    model = ModelConfig("a", "MIT", "here", license_files=("LICENSES/a.txt", "LICENSES/b.txt"))
    config = replace(CONFIG, models=(model,))
    assert licence_problems(config, ["LICENSE", "LICENSES/b.txt"]) == [
        "project.license-files: does not match LICENSES/a.txt, the licence of the model a (standard)"
    ]
    assert licence_problems(config, ["LICENSES\\a.txt", "LICENSES/b.txt"]) == []
