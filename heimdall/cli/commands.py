"""The tree of commands: a row for each, whose module is imported when the command is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple

import click

from heimdall.cli.command import Group


class Row(NamedTuple):
    """A command of the top level.

    Attributes:
        name: what the user types.
        module: the module below `heimdall.cli` that has it.
        attribute: its name there, a command made by `heimdall.cli.command`.
        help: one line; the first line of the command's own help (a test holds the two together).
        section: the heading in `heimdall --help` under which it stands.
    """

    name: str
    module: str
    attribute: str
    help: str
    section: str


COMMANDS = (
    Row("store", "memory", "store", "Remember a text.", "Memory"),
    Row("recall", "memory", "recall", "Find memories that answer a question.", "Memory"),
    Row("status", "memory", "status", "Show what this project remembers.", "Memory"),
    Row(
        "load",
        "ingest",
        "load",
        "Remember what files say: Markdown, text, docstrings and comments.",
        "Memory",
    ),
    Row(
        "git-load",
        "ingest",
        "git_load",
        "Remember the commits of a git repository (default: the project's).",
        "Memory",
    ),
    Row(
        "update", "memory", "update", "Change a memory; what is not named stays as it is.", "Memory"
    ),
    Row("delete-memory", "memory", "delete_memory", "Delete memories for good.", "Memory"),
    Row(
        "delete-memories-by-tags",
        "memory",
        "delete_memories_by_tags",
        "Delete all memories that have any of the tags, for good.",
        "Memory",
    ),
    Row("export", "transfer", "export", "Write all memories as lines of JSON.", "Memory"),
    Row("import", "transfer", "import_", "Take over memories from lines of JSON.", "Memory"),
    Row(
        "backup",
        "transfer",
        "backup",
        "Copy the database, as it is at this moment, into one checked FILE.",
        "Memory",
    ),
    Row("restore", "transfer", "restore", "Bring back what 'heimdall backup' wrote.", "Memory"),
    Row(
        "project",
        "project",
        "project",
        "Set up, list and clean the projects that have a memory.",
        "Memory",
    ),
    Row("mcp", "mcp", "mcp", "Connect AI coding assistants.", "Assistants"),
    Row("models", "models", "models", "Fetch, find and check the embedding model.", "This machine"),
    Row(
        "qdrant",
        "qdrant",
        "qdrant",
        "Keep vectors in Qdrant, for more than one machine holds.",
        "This machine",
    ),
    Row(
        "doctor",
        "doctor",
        "doctor",
        "Check that everything works, and say what to do where it does not.",
        "This machine",
    ),
    Row("migrate", "migrate", "migrate", "Bring over what earlier releases left.", "This machine"),
    Row("dirs", "dirs", "dirs", "Show the directories that heimdall uses.", "This machine"),
    Row(
        "completion",
        "completion",
        "completion",
        "Print a script that completes commands and options at the Tab key.",
        "This machine",
    ),
)
"""Every command, in the order of `heimdall --help`; rows of one section stand together."""


class LazyGroup(Group):
    """The top level, which knows of its commands what `COMMANDS` says and imports them one by one."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """The commands' names, in the table's order."""
        return [row.name for row in COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the command of that name; None if there is none."""
        row = next((row for row in COMMANDS if row.name == cmd_name), None)
        if row is None:
            return None
        command = getattr(import_module(f"heimdall.cli.{row.module}"), row.attribute)
        assert isinstance(command, click.Command)  # noqa: S101 (what the table promises)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, with the table's names as suggestions."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            raise click.NoSuchCommand(
                error.command_name, possibilities=self.list_commands(ctx), ctx=ctx
            ) from None

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
    examples=[
        ("heimdall load README.md docs", "remember what is written down already"),
        ("heimdall store 'Releases are cut from main'", "remember a sentence"),
        ("heimdall recall how are releases made", "find it again"),
        ("heimdall mcp install --all", "let your assistants do all that"),
        ("heimdall doctor", "check that everything works"),
    ],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="heimdall-mcp", prog_name="heimdall")
def heimdall() -> None:
    """Long-term memory per project for AI coding assistants."""
