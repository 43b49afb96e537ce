from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hatch_heimdall_models.pin_rules as written_by
import heimdall.models.pin_rules as read_by
from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.manifest import loads
from hatch_heimdall_models.pin_rules import clashes, marker_problem, model_path_problem
from heimdall.models.errors import ManifestError
from heimdall.models.manifest import read_model
from heimdall.models.package import Package
from tests.support.manifests import manifest_of


def test_both_halves_have_one_set_of_rules() -> None:
    assert Path(written_by.__file__).read_bytes() == Path(read_by.__file__).read_bytes()


_odd = st.text(st.sampled_from('aA./\\:*?"<>| \u00a0\ud800\x00\x1f\x7fnul'), max_size=8)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "paths": st.lists(
                _odd | st.sampled_from([".store/x", "about/x", "a/b"]), min_size=1, max_size=3
            ),
            "repository": _odd,
            "variant": _odd,
            "tag": _odd,
            "asset": _odd,
        },
    )
)
def test_the_reader_takes_all_that_the_writer_takes(
    tmp_path_factory: pytest.TempPathFactory, odd: dict[str, object]
) -> None:
    document = json.loads(manifest_of({"a": b"1"}).dumps())
    (model,) = document["models"]
    if paths := odd.get("paths"):
        assert isinstance(paths, list)
        model["files"] = [{**model["files"][0], "path": path} for path in paths]
    document["repository"] = odd.get("repository", document["repository"])
    model["variant"] = odd.get("variant", "standard")
    model["asset"]["tag"] = odd.get("tag", "v1")
    model["asset"]["name"] = odd.get("asset", "a.zip")
    text = json.dumps(document)
    path = tmp_path_factory.mktemp("package") / "model_manifest.json"
    path.write_text(text)
    try:
        loads(text, subject="x")
    except ModelBuildError:
        return
    read_model(Package("package", str(path)), variant=model["variant"])


@pytest.mark.parametrize("path", [".store/x", "about/x", "a?", "a\u00a0b", "..", "nul.txt", "a "])
def test_the_reader_refuses_what_the_writer_refuses(tmp_path: Path, path: str) -> None:
    assert model_path_problem(path)
    document = json.loads(manifest_of({"a": b"1"}).dumps())
    document["models"][0]["files"][0]["path"] = path
    manifest = tmp_path / "model_manifest.json"
    manifest.write_text(json.dumps(document))
    with pytest.raises(ManifestError, match="can't be a file's path"):
        read_model(Package("package", str(manifest)))


@pytest.mark.parametrize(
    ("paths", "bad"),
    [
        (["a", "b/a"], []),
        (["A", "a/b"], ["A"]),
        (["a", "A"], ["a"]),
        (["\u00e9", "e\u0301"], ["\u00e9"]),
        (["a/b", "a/b/c", "a/B/d"], ["a/b"]),
    ],
)
def test_files_that_can_not_lie_side_by_side(paths: list[str], bad: list[str]) -> None:
    assert [path for path, _ in clashes(paths)] == bad


@pytest.mark.parametrize("marker", ["sys_platform == 'linux'", "python_version < '4'"])
def test_markers(marker: str) -> None:
    assert marker_problem(marker) is None


@pytest.mark.parametrize("marker", ["sys_plattform == 'linux'", "linux", "", "extra == 'gpu'", 3])
def test_no_markers(marker: object) -> None:
    assert marker_problem(marker)
