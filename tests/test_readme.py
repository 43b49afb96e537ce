"""What the README says a user can type and set is really there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from heimdall.cli.commands import COMMANDS, heimdall
from tests.support.checkout import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
_VARIABLE = re.compile(r"\bHEIMDALL_[A-Z_]*[A-Z]\b")


def command_lines() -> Iterator[str]:
    """Every `heimdall …` in the text's code, without what follows in the shell."""
    for code in re.findall(r"^```\w*\n(.*?)^```|`([^`\n]+)`", README, re.DOTALL | re.MULTILINE):
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
    assert [row.name for row in COMMANDS if not re.search(rf"[`, ]{row.name}\b", README)] == []


def test_every_variable_is_described_and_no_other() -> None:
    sources = [
        path
        for package in ("heimdall", "cognitive_memory")
        for path in (ROOT / package).rglob("*.py")
    ]
    used = {
        name for path in sources for name in _VARIABLE.findall(path.read_text(encoding="utf-8"))
    }
    table = README[README.index("## Variables") : README.index("## When something is wrong")]
    assert set(_VARIABLE.findall(table)) == used
    assert set(_VARIABLE.findall(README)) == used


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_links_lead_somewhere(target: str) -> None:
    assert Path(ROOT, target).is_file()
