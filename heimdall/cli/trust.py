"""The command `heimdall project trust`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from heimdall.cli import output
from heimdall.cli.command import command
from heimdall.cli.report import Report


@command()
@click.argument("path", required=False, metavar="[PATH|*]")
@click.option("--remove", is_flag=True, help="Trust it no more.")
@click.option("--list", "list_", is_flag=True, help="Show what is trusted; nothing is changed.")
def trust(*, path: str | None, remove: bool, list_: bool) -> Report:
    """Use a project although its folder belongs to another user.

    What is in such a folder was written by somebody else, and assistants will read it; so it is refused until it is
    trusted, as git does. PATH is the project's directory, '*' stands for all. It holds for you alone, until --remove.
    HEIMDALL_TRUST does the same where nothing is kept, as in a container.

    Examples:
        heimdall project trust /srv/team/app  # use this project, whoever owns it
        heimdall project trust --list  # which are trusted
        heimdall project trust /srv/team/app --remove  # and no more
    """
    from cognitive_memory.project import trust as trusted

    if list_ == (path is not None) or (list_ and remove):
        raise click.UsageError("Name a PATH, or '*' for all projects; or use --list alone.")
    if list_:
        return _Trusted(trusted.kept(), trusted.in_environment())
    assert path is not None  # noqa: S101 (checked above)
    root = None if path == trusted.ALL else Path(path).expanduser().absolute()
    if remove:
        return _Changed(trusted.name_of(root), trusted=False, changed=trusted.forget(root))
    if root is not None and not root.is_dir():
        raise click.UsageError(f"{root} is no directory; name a project's.")
    changed = trusted.name_of(root) not in trusted.kept()
    return _Changed(trusted.keep(root), trusted=True, changed=changed)


@dataclass(frozen=True)
class _Changed(Report):
    path: str
    trusted: bool
    changed: bool

    def show(self) -> None:
        what = "all projects" if self.path == "*" else self.path
        if self.trusted:
            told = "" if self.changed else ", as before"
            output.line(output.good("trusted  "), f"{what}, whoever owns it{told}")
            output.line(output.faint("'heimdall project trust PATH --remove' takes it back"))
        elif self.changed:
            output.line(output.good("not trusted any more  "), what)
        else:
            output.line(f"{what} was not trusted; 'heimdall project trust --list' shows what is")


@dataclass(frozen=True)
class _Trusted(Report):
    trusted: Sequence[str]
    environment: Sequence[str]

    def show(self) -> None:
        for name in self.trusted:
            output.line(name)
        for name in self.environment:
            output.line(name, output.faint("  by HEIMDALL_TRUST"))
        if not self.trusted and not self.environment:
            output.line("no project of another owner is trusted")
