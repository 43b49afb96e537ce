"""What is read from pyproject.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from hatch_heimdall_models.errors import ModelBuildError
from release.project import MODELS, ROOT, read_project


def test_this_project_is_read() -> None:
    project = read_project()
    assert (project.name, project.repository) == ("heimdall-mcp", "lcbcFoo/heimdall-mcp-server")
    assert project.tag == f"v{project.version}"


def test_the_models_lie_where_the_build_hook_looks() -> None:
    assert (
        f'models-dir = "{MODELS.relative_to(ROOT).as_posix()}"'
        in (ROOT / "pyproject.toml").read_text()
    )


def test_every_key_that_is_wrong_is_named(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text('project = 3\n[tool.hatch.build.hooks.custom]\nrepository = ["a/b"]\n')
    with pytest.raises(ModelBuildError) as caught:
        read_project(path)
    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        "project",
        "tool.hatch.build.hooks.custom.repository",
    ]


@pytest.mark.parametrize("content", [None, b"=", b"\xff"])
def test_what_can_not_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "pyproject.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelBuildError, match=r"pyproject\.toml: (can't be read|is not TOML)"):
        read_project(path)
