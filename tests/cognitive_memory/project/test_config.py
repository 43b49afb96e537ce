from __future__ import annotations

import dataclasses
import pickle
import re
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from cognitive_memory.project.config import read_config, template
from cognitive_memory.project.errors import ProjectConfigError
from cognitive_memory.project.settings import ProjectConfig

ID = "d87b289b-90c7-427a-b6c8-10c5db13259b"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.yaml"


def mistakes(path: Path, text: str) -> list[str]:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ProjectConfigError) as caught:
        read_config(path)
    return str(caught.value).replace(f"{path}:", "").splitlines()


def test_no_file_and_an_empty_file_are_the_defaults(path: Path) -> None:
    assert read_config(path) == ProjectConfig()
    for text in ("", "# only a comment\n", "---\n", "null\n", "ingest:\n"):
        path.write_text(text)
        assert read_config(path) == ProjectConfig()


def test_what_is_set(path: Path) -> None:
    path.write_text(
        f"project_id: {ID.upper()}\ningest:\n  include: docs/\n  exclude: ['*.log', build/]\n"
    )
    config = read_config(path)
    assert config.project_id == ID
    assert config.ingest.include == ("docs/",)
    assert config.ingest.exclude == ("*.log", "build/")


def test_all_mistakes_are_told_at_once_each_with_its_line(path: Path) -> None:
    assert mistakes(
        path,
        "projct_id: 3\n"
        "project_id: [a]\n"
        "ingest:\n"
        "  inclde: x\n"
        "  include: 3\n"
        "  exclude: [1]\n"
        "  exclude: []\n"
        "? [a]\n"
        ": b\n"
        "zzz: 1\n"
        "ingest: 3\n",
    ) == [
        "1: unknown setting projct_id; did you mean project_id?",
        "2: project_id: expected a UUID, as 'heimdall project init' writes it, got a list",
        "4: unknown setting ingest.inclde; did you mean ingest.include?",
        """5: ingest.include: expected a list of patterns, for example ["docs/", "*.md"], got '3'""",
        """6: ingest.exclude: expected a list of patterns, for example ["docs/", "*.md"], got a list""",
        "7: ingest.exclude is there twice",
        "8: expected the name of a setting, got a list",
        f"10: unknown setting zzz; there are {', '.join(field.name for field in dataclasses.fields(ProjectConfig))}",
        "11: ingest is there twice",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ingest: [", "1: is no YAML: "),
        ("project_id: 1\n  more: 2", "2: is no YAML: "),
        ("\x00", " is no YAML: unacceptable character"),
        ("- 1", "1: expected settings, one 'name: value' a line, got a list"),
        ("ingest: all", "1: ingest: expected settings, one 'name: value' a line, got 'all'"),
        ("project_id: !!python/object/apply:os.getcwd []", "1: project_id: expected a UUID"),
        ("project_id: !!int ten", "1: project_id: expected a UUID"),
        ("project_id: !!timestamp then", "1: project_id: expected a UUID"),
        ("ingest: {include: &again [*again]}", "1: ingest.include: expected a list"),
        ("[\n" * 5000, " is nested too deeply"),
        ("--- a\n--- b", "2: is no YAML"),
        ("#" * 1_000_001, " has more than the 1,000,000 bytes"),
    ],
)
def test_what_is_no_settings_file(path: Path, text: str, message: str) -> None:
    (found,) = mistakes(path, text)
    assert found.startswith(message)


def test_a_folder_in_its_place(path: Path) -> None:
    path.mkdir()
    with pytest.raises(ProjectConfigError, match="can't be read: it is no regular file"):
        read_config(path)


def test_bytes_that_are_no_text(path: Path) -> None:
    path.write_bytes(b"project_id: \xff\xfe")
    with pytest.raises(ProjectConfigError, match="is no YAML"):
        read_config(path)


def test_the_error_survives_pickling(path: Path) -> None:
    error = ProjectConfigError(path, ((3, "wrong"),))
    copied = pickle.loads(pickle.dumps(error))  # noqa: S301 (our own bytes)
    assert str(copied) == f"{path}:3: wrong"


def test_the_template_has_every_setting_and_changes_none(path: Path) -> None:
    text = template(ID)
    path.write_text(f"{text}\n")
    assert read_config(path) == ProjectConfig(project_id=ID)

    uncommented = re.sub(r"^( *)# (\w+: )", r"\1\2", text, flags=re.MULTILINE)
    path.write_text(uncommented)
    assert read_config(path) == ProjectConfig(project_id=ID), "what is shown is the default"
    document = yaml.safe_load(uncommented)
    assert document.keys() == {field.name for field in dataclasses.fields(ProjectConfig)}
    for field in dataclasses.fields(ProjectConfig):
        if kind := field.metadata.get("section"):
            assert document[field.name].keys() == {inner.name for inner in dataclasses.fields(kind)}


def test_settings_as_they_were_made_are_read_without_yaml(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    path.write_text(template(ID), newline="\n")
    assert read_config(path) == ProjectConfig(project_id=ID)


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates()
documents = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(scalars, inner), max_leaves=8
)
known = st.dictionaries(st.sampled_from(["project_id", "ingest", "inget", "a\nb"]), documents)


@given(
    st.one_of(documents, known).map(lambda document: yaml.safe_dump(document, allow_unicode=True))
    | st.text()
)
@example("ingest:\n\tinclude: x")
@example("? ? a")
@example("%YAML 9.9\n---\n")
@example("!<tag:> a")
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    try:
        outcome: ProjectConfig | ProjectConfigError = read_config(path)
    except ProjectConfigError as error:
        outcome = error
    if isinstance(outcome, ProjectConfigError):
        assert outcome.mistakes
        assert all(line >= 0 and problem for line, problem in outcome.mistakes)


def test_settings_of_0_3_lead_to_the_migration(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("qdrant_url: http://localhost:6333\n")
    with pytest.raises(ProjectConfigError, match="'heimdall migrate' keeps such settings aside"):
        read_config(path)
