from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cognitive_memory.ingest.errors import PathNotFoundError
from cognitive_memory.ingest.walking import Reason, SourceFile, walk
from cognitive_memory.project.settings import IngestSettings
from tests.support.capabilities import can_be_named, needs_any_bytes, needs_posix_paths
from tests.support.git_repository import Repository
from tests.support.permissions import binding_permissions
from tests.support.trees import write_tree

pytestmark = pytest.mark.slow

RULES = [
    "*.md",
    "!keep.md",
    "/a/",
    "a/",
    "a/b",
    "!a/b/",
    "**/c.md",
    "b/**",
    "c*",
    "/c.md",
    "# note",
    "",
    "\\#x.md",
    "d.md/",
    "?.md",
    "[ab].md",
    "*/",
    "!/a",
]
FILES = [
    "a/b/c.md",
    "a/c.md",
    "a/keep.md",
    "b/a/d.md",
    "b/c.md",
    "c.md",
    "d.md",
    "keep.md",
    "#x.md",
    "c/a/b.md",
]


def _sources(*paths: Path, project: Path, selection: IngestSettings | None = None) -> list[str]:
    return [file.source for file in walk(paths, project, selection or IngestSettings()).files]


def test_files_that_are_read_in_the_order_of_their_names(project: Path) -> None:
    write_tree(
        project,
        {
            "b.md": "",
            "a/c.py": "",
            "a.txt": "",
            "README": "",
            "data.json": "",
            "logo.png": "",
            "a/b.go": "",
        },
    )
    result = walk([project], project)
    assert [file.source for file in result.files] == ["README", "a/b.go", "a/c.py", "a.txt", "b.md"]
    assert [(skipped.source, skipped.reason) for skipped in result.skipped] == [
        ("data.json", Reason.UNSUPPORTED),
        ("logo.png", Reason.UNSUPPORTED),
    ]
    assert result.roots == [""]


def test_a_named_file_is_taken_whatever_it_is_and_each_file_once(project: Path) -> None:
    write_tree(project, {"docs/a.md": "", "data.csv": "", ".gitignore": "*.csv\n"})
    result = walk(
        [project / "docs", project / "docs" / "a.md", project / "data.csv", project / "docs"],
        project,
    )
    assert result.files == [
        SourceFile(project / "data.csv", "data.csv", asked=True),
        SourceFile(project / "docs" / "a.md", "docs/a.md", asked=True),
    ]


def test_what_is_elsewhere_has_its_absolute_path(project: Path, tmp_path: Path) -> None:
    write_tree(tmp_path / "other", {"a.md": ""})
    assert _sources(tmp_path / "other", project=project) == [
        (tmp_path / "other" / "a.md").as_posix()
    ]


def _rules() -> st.SearchStrategy[str]:
    """Lines as nobody writes them; without what git reads against its documentation: "a**/" as "a" and "**/"."""
    lines = st.text(alphabet="abc*?/[]!\\ ", max_size=6)
    return lines.filter(lambda line: "**/" not in line)


@settings(max_examples=40)
@given(
    rules=st.dictionaries(
        st.sampled_from([".gitignore", "a/.gitignore", "b/.gitignore", "a/b/.gitignore"]),
        st.lists(st.sampled_from(RULES) | _rules(), max_size=4),
        max_size=3,
    )
)
@example(rules={".gitignore": ["*/", "!/a"]})
@example(rules={".gitignore": ["*.md"], "a/.gitignore": ["!/b"]})
def test_ignored_is_what_git_ignores(
    tmp_path_factory: pytest.TempPathFactory, rules: dict[str, list[str]]
) -> None:
    folder = tmp_path_factory.mktemp("ignored")
    repository = Repository.make(folder)
    write_tree(folder, dict.fromkeys(FILES, "x"))
    write_tree(folder, {name: "\n".join(lines) + "\n" for name, lines in rules.items()})
    listed = repository.git(
        "-c", "core.quotepath=off", "ls-files", "--others", "--exclude-standard"
    ).splitlines()
    assert sorted(_sources(folder, project=folder)) == sorted(
        name for name in listed if name.endswith(".md")
    )


def test_rules_above_the_folder_hold_up_to_the_repository(project: Path) -> None:
    Repository.make(project)
    write_tree(
        project,
        {
            ".gitignore": "/docs/old.md\n",
            "docs/old.md": "",
            "docs/new.md": "",
            ".git/info/exclude": "new.md\n",
        },
    )
    write_tree(project.parent, {".gitignore": "*\n"})
    assert _sources(project / "docs", project=project) == []


def test_an_ignored_folder_that_is_named_is_loaded(project: Path) -> None:
    write_tree(
        project,
        {
            ".git/HEAD": "",
            ".gitignore": "build/\n",
            "build/docs/a.md": "",
            "build/.gitignore": "b.md\n",
            "build/b.md": "",
        },
    )
    assert _sources(project / "build", project=project) == ["build/docs/a.md"]
    assert _sources(project / "build" / "docs", project=project) == ["build/docs/a.md"]


def test_heimdallignore_has_the_last_word_and_usual_rubbish_is_left_out(project: Path) -> None:
    rules = {
        ".gitignore": "private.md\n",
        ".heimdallignore": "!private.md\nsecret.md\n!/node_modules/\n",
    }
    write_tree(
        project,
        {
            **rules,
            "private.md": "",
            "secret.md": "",
            "node_modules/a.md": "",
            "sub/node_modules/a.md": "",
        },
    )
    assert _sources(project, project=project) == ["node_modules/a.md", "private.md"]


def test_the_folders_of_version_control_and_our_own_are_never_looked_into(project: Path) -> None:
    write_tree(
        project,
        {
            ".heimdallignore": "!.git\n!.heimdall\n",
            ".git/a.md": "",
            ".heimdall/a.md": "",
            "sub/.git/a.md": "",
        },
    )
    assert _sources(project, project=project) == []


def test_a_projects_patterns(project: Path) -> None:
    write_tree(
        project,
        {
            "docs/a.md": "",
            "docs/drafts/b.md": "",
            "src/c.py": "",
            "d.md": "",
            ".gitignore": "!d.md\n",
        },
    )
    assert _sources(
        project,
        project=project,
        selection=IngestSettings(include=("docs/", "*.py"), exclude=("drafts/",)),
    ) == ["docs/a.md", "src/c.py"]
    assert (
        _sources(project, project=project, selection=IngestSettings(exclude=("d.md",)))[-1]
        == "src/c.py"
    )


def test_a_line_that_is_no_rule_is_said_and_the_others_hold(project: Path) -> None:
    write_tree(project, {".gitignore": "a.md\n\\\n[z-a]\n", "a.md": "", "b.md": ""})
    result = walk([project], project)
    assert [file.source for file in result.files] == ["b.md"]
    assert len(result.notes) == 2
    assert "is no rule that git knows" in result.notes[0]


def test_rules_of_a_file_that_is_too_large_hold_as_far_as_it_is_read(project: Path) -> None:
    write_tree(project, {"a.md": "", "b.md": "", ".gitignore": "a.md\n"})
    with (project / ".gitignore").open("r+b") as stream:
        stream.truncate(3_000_000_000)
    result = walk([project], project)
    assert [file.source for file in result.files] == ["b.md"]
    assert result.notes == [
        f"{project / '.gitignore'} has 3,000,000,000 bytes: rules beyond the first 100,000 do not hold"
    ]


def test_not_all_lines_that_are_no_rules_are_said(project: Path) -> None:
    write_tree(project, {"a.md": "", ".gitignore": "[\n" * 1000 + "a.md\n"})
    result = walk([project], project)
    assert result.files == []
    assert result.notes[-1] == f"{project / '.gitignore'}: and so are 995 other lines"


def test_a_form_feed_or_a_mark_is_no_end_of_a_line(project: Path) -> None:
    if not can_be_named(project, "a\x0cb.md"):
        pytest.skip("names of files are restricted here")
    write_tree(project, {"a\x0cb.md": "", "b.md": "", ".gitignore": "\ufeffa\x0cb.md\r\n"})
    assert _sources(project, project=project) == ["b.md"]


@pytest.mark.parametrize("name", [".gitignore", ".heimdallignore"])
def test_rules_are_read_from_files_alone(project: Path, name: str) -> None:
    write_tree(project, {"a.md": "", "rules": "a.md\n", "sub/b.md": "", "sub2/c.md": ""})
    (project / name).symlink_to("rules")
    os.mkfifo(project / "sub" / name)
    (project / "sub2" / name).mkdir()
    assert _sources(project, project=project) == ["a.md", "sub/b.md", "sub2/c.md"]


@needs_posix_paths
def test_folders_nested_deeper_than_calls_may_be(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    depth = sys.getrecursionlimit() + 100
    monkeypatch.chdir(project)
    for _ in range(depth):
        Path("d").mkdir()
        os.chdir("d")
    Path("a.md").touch()
    os.chdir(project)
    try:
        assert [file.source.count("/") for file in walk([project], project).files] == [depth]
    finally:
        # deeper than shutil.rmtree can
        subprocess.run(["rm", "-rf", str(project / "d")], check=True)


def test_links_are_not_followed(project: Path, tmp_path: Path) -> None:
    write_tree(tmp_path, {"secret.md": "mine", "project/a/b.md": ""})
    (project / "a" / "loop").symlink_to(project)
    (project / "secret.md").symlink_to(tmp_path / "secret.md")
    (project / "dangling.md").symlink_to("nowhere")
    result = walk([project], project)
    assert [file.source for file in result.files] == ["a/b.md"]
    assert {skipped.reason for skipped in result.skipped} == {Reason.LINK}


def test_a_link_that_is_named_is_followed(project: Path, tmp_path: Path) -> None:
    write_tree(tmp_path / "real", {"a.md": ""})
    (project / "docs").symlink_to(tmp_path / "real")
    assert _sources(project / "docs", project=project) == [(tmp_path / "real" / "a.md").as_posix()]


def test_an_unreadable_folder_is_said(project: Path) -> None:
    write_tree(project, {"closed/a.md": "", "b.md": ""})
    (project / "closed").chmod(0o300)
    with binding_permissions():
        result = walk([project], project)
    (project / "closed").chmod(0o700)
    assert [file.source for file in result.files] == ["b.md"]
    assert [(skipped.source, skipped.detail) for skipped in result.skipped] == [
        ("closed", "closed could not be read (Permission denied)")
    ]


@needs_any_bytes
def test_a_name_that_is_no_text_is_said(project: Path) -> None:
    Path(os.fsdecode(os.fsencode(project) + b"/caf\xe9.md")).write_text("x")
    (skipped,) = walk([project], project).skipped
    assert (skipped.source, skipped.reason) == ("caf\ufffd.md", Reason.NAME)


def test_pipes_and_sockets_are_not_opened(project: Path) -> None:
    os.mkfifo(project / "pipe.md")
    assert walk([project], project).skipped[0].reason is Reason.UNSUPPORTED
    with pytest.raises(PathNotFoundError, match="neither a file nor a folder"):
        walk([project / "pipe.md"], project)


def test_a_path_that_is_not_there(project: Path) -> None:
    with pytest.raises(PathNotFoundError, match=r"missing can't be loaded: .+\. Expected"):
        walk([project / "missing"], project)
    (project / "loop").symlink_to("loop")
    with pytest.raises(PathNotFoundError):
        walk([project / "loop"], project)
