from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from heimdall.cli.command import Command, Group
from heimdall.cli.commands import COMMANDS, COMPLETE_VARIABLE, Row, heimdall
from tests.support.places import KNOWN
from tests.support.uncovered import uncovered

HEAVY = {
    "docutils", "docx", "filelock", "markdown_it", "mcp", "numpy", "onnxruntime", "pydantic", "pypdf", "rich", "sqlite3", "tokenizers", "urllib3", "watchfiles", "yaml", *(("platformdirs",) if KNOWN else ()),
}  # fmt: skip


def every_command(
    group: click.Group, *path: str
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from every_command(command, *path, name)


TREE = dict(every_command(heimdall))


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row.name)
def test_the_table_says_what_the_commands_say(row: Row) -> None:
    command = TREE[row.name,]
    assert command.name == row.name
    assert (command.help or "").splitlines()[0] == row.help


def test_sections_stand_together() -> None:
    sections = [row.section for row in COMMANDS]
    assert sections == sorted(sections, key=sections.index)


@pytest.mark.parametrize("path", TREE, ids=" ".join)
def test_every_command_has_help_and_examples_that_can_be_typed(path: tuple[str, ...]) -> None:
    command = TREE[path]
    assert isinstance(command, (Command, Group))
    assert (command.help or "").splitlines()[0].endswith(".")
    assert command.examples
    for line, meaning in command.examples:
        assert f"heimdall {' '.join(path)}" in line
        assert meaning
    if isinstance(command, Group):  # its commands' sentences are whole
        assert "..." not in command.get_help(click.Context(command)).partition("Commands:")[2]


REPORTING = [
    path
    for path, command in TREE.items()
    if not isinstance(command, Group) and path not in {("completion",), ("hook",)}
]  # the one prints a script, the other what an assistant reads


@pytest.mark.parametrize("path", REPORTING, ids=" ".join)
def test_every_command_reports_as_json(path: tuple[str, ...]) -> None:
    assert "as_json" in [parameter.name for parameter in TREE[path].params]


def loaded_by(*arguments: str, **variables: str) -> tuple[str, set[str]]:
    """What the command printed, and the modules that were loaded when it ended."""
    code = (
        "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); "
        "from heimdall.cli import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=900,
        env={**uncovered(), "HEIMDALL_FETCH": "never", **variables},
    )
    return done.stdout, set(done.stderr.split())


@pytest.mark.parametrize(
    "arguments", [("--help",), *((*path, "--help") for path in TREE)], ids=" ".join
)
def test_help_loads_nothing_heavy(arguments: tuple[str, ...]) -> None:
    printed, modules = loaded_by(*arguments)
    assert "heimdall.cli.commands" in modules
    assert not HEAVY & modules
    assert "Examples:" in printed


def test_the_help_of_all_imports_no_command() -> None:
    printed, modules = loaded_by("--help")
    assert not modules & {f"heimdall.cli.{row.module}" for row in COMMANDS}
    for row in COMMANDS:
        assert f"{row.name} {row.help}" in " ".join(printed.split())


@pytest.mark.parametrize(
    ("words", "completed", "module"),
    [
        ("heimdall ", [row.name for row in COMMANDS], None),
        ("heimdall recall --ex", ["--explain"], "recall"),
    ],
)
def test_completion_imports_no_command_but_the_one_that_was_typed(
    words: str, completed: list[str], module: str | None
) -> None:
    position = str(len(words.split(" ")) - 1)
    variables = {"COMP_WORDS": words, "COMP_CWORD": position, COMPLETE_VARIABLE: "bash_complete"}
    printed, modules = loaded_by(**variables)
    assert printed.splitlines() == [f"plain,{word}" for word in completed]
    assert not HEAVY & modules
    commands = modules & {f"heimdall.cli.{row.module}" for row in COMMANDS}
    assert commands == ({f"heimdall.cli.{module}"} if module else set())
