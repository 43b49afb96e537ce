"""The tree of commands: a row for each, whose module is imported when the command is asked for."""

from __future__ import annotations

from importlib import import_module
from keyword import iskeyword
from typing import TYPE_CHECKING, NamedTuple

import click

from heimdall.cli.command import Group

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

PROGRAM = "heimdall"
COMPLETE_VARIABLE = "_HEIMDALL_COMPLETE"
"""The variable by which the scripts of `heimdall completion` ask for completions."""

_MEMORY, _ASSISTANTS, _MACHINE = "Memory", "Assistants", "This machine"


class Row(NamedTuple):
    """A command of the top level.

    Attributes:
        name: what the user types.
        module: the module below `heimdall.cli` that has it, under its name with underscores.
        help: one line, the first of the command's own help. It is said here too because
            `heimdall --help` and the Tab key are not to import every command; a test holds the two
            together.
        section: the heading in `heimdall --help` under which it stands.
    """

    name: str
    module: str
    help: str
    section: str

    def command(self) -> click.Command:
        """Import it."""
        attribute = self.name.replace("-", "_")
        module = import_module(f"heimdall.cli.{self.module}")
        command = getattr(module, f"{attribute}_" if iskeyword(attribute) else attribute)
        assert isinstance(command, click.Command)  # noqa: S101 (what the table promises)
        return command


COMMANDS = (
    Row(
        "init",
        "init",
        "Set up this project and your assistants, and remember what is there.",
        _MEMORY,
    ),
    Row("store", "store", "Remember a text.", _MEMORY),
    Row("recall", "recall", "Find memories that answer a question.", _MEMORY),
    Row("status", "status", "Show what this project remembers.", _MEMORY),
    Row(
        "load", "load", "Remember what files say: Markdown, text, docstrings and comments.", _MEMORY
    ),
    Row(
        "git-load",
        "git_load",
        "Remember the commits of a git repository (default: the project's).",
        _MEMORY,
    ),
    Row("update", "store", "Change a memory; what is not named stays as it is.", _MEMORY),
    Row("history", "history", "Show what changed in a memory, and when.", _MEMORY),
    Row(
        "recent",
        "captures",
        "Show what was stored, or captured from conversations, lately.",
        _MEMORY,
    ),
    Row(
        "undo",
        "captures",
        "Take back the last capture, or the captured memories of the IDs.",
        _MEMORY,
    ),
    Row("delete-memory", "deletion", "Delete memories for good.", _MEMORY),
    Row(
        "delete-memories-by-tags",
        "deletion",
        "Delete all memories that have any of the tags, for good.",
        _MEMORY,
    ),
    Row("export", "transfer", "Write all memories as lines of JSON.", _MEMORY),
    Row("import", "transfer", "Take over memories from lines of JSON.", _MEMORY),
    Row(
        "backup",
        "transfer",
        "Copy the database, as it is at this moment, into one checked FILE.",
        _MEMORY,
    ),
    Row("restore", "transfer", "Bring back what 'heimdall backup' wrote.", _MEMORY),
    Row("project", "project", "Set up, list and clean the projects that have a memory.", _MEMORY),
    Row("mcp", "mcp", "Connect AI coding assistants.", _ASSISTANTS),
    Row(
        "hook", "hook", "Answer an event of an assistant, whose JSON is read on stdin.", _ASSISTANTS
    ),
    Row("models", "models", "Fetch, find and check the embedding model.", _MACHINE),
    Row("qdrant", "qdrant", "Keep vectors in Qdrant, for more than one machine holds.", _MACHINE),
    Row(
        "doctor",
        "doctor",
        "Check that everything works, and say what to do where it does not.",
        _MACHINE,
    ),
    Row("migrate", "migrate", "Bring over what earlier releases left.", _MACHINE),
    Row("dirs", "dirs", "Show the directories that heimdall uses.", _MACHINE),
    Row(
        "completion",
        "completion",
        "Print a script that completes commands and options at the Tab key.",
        _MACHINE,
    ),
)
"""Every command, in the order of `heimdall --help`; rows of one section stand together."""


class LazyGroup(Group):
    """The top level, which knows of its commands what `COMMANDS` says and imports them one by one."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the command of that name; None if there is none."""
        return next((row.command() for row in COMMANDS if row.name == cmd_name), None)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands that begin so, without an import, then the options."""
        from click.shell_completion import CompletionItem

        rows = [row for row in COMMANDS if row.name.startswith(incomplete)]
        completed = [CompletionItem(row.name, help=row.help) for row in rows]
        return completed + click.Command.shell_complete(self, ctx, incomplete)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands first: they are what people look for."""
        self.format_commands(ctx, formatter)
        click.Command.format_options(self, ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the sections of the table, without an import."""
        widest = max(len(row.name) for row in COMMANDS)
        for section in dict.fromkeys(row.section for row in COMMANDS):
            rows = [
                (row.name.ljust(widest), row.help) for row in COMMANDS if row.section == section
            ]
            with formatter.section(section):
                formatter.write_dl(rows)


@click.group(
    cls=LazyGroup,
    # Only their names are asked for: to list and to suggest them.
    commands={row.name: click.Command(row.name) for row in COMMANDS},
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="heimdall-mcp", prog_name=PROGRAM)
def heimdall() -> None:
    """Long-term memory per project for AI coding assistants.

    Examples:
        heimdall init  # set up this project and your assistants, remember what is there
        heimdall store Releases are cut from main  # remember a sentence
        heimdall recall how are releases made  # find it again
        heimdall doctor  # check that everything works
    """
