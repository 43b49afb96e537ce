"""What README and docs say a user can type and set is really there."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from heimdall.cli.commands import COMMANDS, heimdall
from tests.support.checkout import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {
    path: path.read_text(encoding="utf-8")
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
}
TEXT = "\n".join(text for path, text in PAGES.items() if path.name != "CHANGELOG.md")
VARIABLES = (ROOT / "docs" / "reference" / "variables.md").read_text(encoding="utf-8")
COMMAND_TABLE = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
LINKS = [
    (path, target)
    for path, text in PAGES.items()
    for target in sorted(set(re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)))
]
_REPOSITORY = "lcbcFoo/heimdall-mcp-server"
_VARIABLE = re.compile(r"\bHEIMDALL_[A-Z_]*[A-Z]\b")


def command_lines() -> Iterator[str]:
    """Every `heimdall …` in the text's code, without what follows in the shell."""
    for code in re.findall(r"^```\w*\n(.*?)^```|`([^`\n]+)`", TEXT, re.DOTALL | re.MULTILINE):
        for line in "\n".join(code).splitlines():
            if found := re.search(
                r"(?:^|\$ |&& |\b[A-Z_]+=\S+ )(heimdall [^#&|]*)", line.partition("  #")[0]
            ):
                yield found[1].strip()


@pytest.mark.parametrize("line", sorted(set(command_lines())))
def test_commands_and_options_are_there(line: str) -> None:
    words = shlex.split(line)[1:]
    command: click.Command = heimdall
    context = click.Context(heimdall)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        below = command.get_command(context, words.pop(0))
        assert below is not None, line
        command, context = below, click.Context(below, parent=context)
    names = {name for parameter in command.get_params(context) for name in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= names


def test_every_command_is_mentioned() -> None:
    assert len(list(command_lines())) > 30
    assert [
        row.name for row in COMMANDS if not re.search(rf"[`, ]{row.name}\b", COMMAND_TABLE)
    ] == []


def test_every_variable_is_described_and_no_other() -> None:
    sources = [
        path
        for package in ("heimdall", "cognitive_memory")
        for path in (ROOT / package).rglob("*.py")
    ]
    used = {
        name for path in sources for name in _VARIABLE.findall(path.read_text(encoding="utf-8"))
    }
    assert set(_VARIABLE.findall(VARIABLES)) == used
    # Those of the tests are told to who contributes.
    named = {name for name in _VARIABLE.findall(TEXT) if not name.startswith("HEIMDALL_TEST_")}
    assert named == used


@pytest.mark.parametrize(
    ("page", "target"), LINKS, ids=[f"{page.name}-{target}" for page, target in LINKS]
)
def test_links_lead_somewhere(page: Path, target: str) -> None:
    assert (page.parent / target).is_file()


def test_the_readme_fits_a_screen() -> None:
    assert len(README.splitlines()) <= 50


def test_links_and_the_picture_work_on_the_package_index() -> None:
    metadata = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    hook = metadata["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]
    text = README
    for rule in hook["substitutions"]:
        text = re.sub(rule["pattern"], rule["replacement"], text)
    version = "v$HFPR_VERSION"
    assert f"(https://raw.githubusercontent.com/{_REPOSITORY}/{version}/docs/terminal.svg)" in text
    targets = re.findall(r"\]\(([^)]+)\)", text)
    assert len(targets) > 20
    assert [target for target in targets if not target.startswith("https://")] == []
