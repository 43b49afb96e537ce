"""The command `heimdall project trust`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import click

from heimdall.cli import output
from heimdall.cli.command import command
from heimdall.models.report import Report


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
    from cognitive_memory.project.real_path import expanded

    if list_ == (path is not None) or (list_ and remove):
        raise click.UsageError("Name a PATH, or '*' for all projects; or use --list alone.")
    if list_:
        names, environment = trusted.kept(), trusted.in_environment()
        document = {"trusted": names, "environment": environment}
        return Report(document, partial(_show_all, names, environment))
    assert path is not None  # noqa: S101 (checked above)
    root = None if path == trusted.ALL else expanded(path).absolute()
    name = trusted.name_of(root)
    if remove:
        changed = trusted.forget(root)
        return _report(name, partial(_show_removed, name, changed=changed), changed=changed)
    if root is not None and not root.is_dir():
        raise click.UsageError(f"{root} is no directory; name a project's.")
    changed = name not in trusted.kept()
    trusted.keep(root)
    return _report(name, partial(_show_kept, name), changed=changed, trusted=True)


def _report(name: str, show: Callable[[], None], *, changed: bool, trusted: bool = False) -> Report:
    return Report({"path": name, "trusted": trusted, "changed": changed}, show)


def _show_kept(name: str) -> None:
    output.line(output.good("trusted  "), f"{_called(name)}, whoever owns it")
    output.line(output.faint("the same command with --remove takes it back"))


def _show_removed(name: str, *, changed: bool) -> None:
    if changed:
        output.line(output.good("not trusted any more  "), _called(name))
    else:
        told = "'heimdall project trust --list' shows what is"
        output.line(f"{_called(name)} was not trusted; {told}")


def _show_all(names: Sequence[str], environment: Sequence[str]) -> None:
    for name in names:
        output.line(_called(name))
    for name in environment:
        output.line(_called(name), output.faint("  by HEIMDALL_TRUST"))
    if not names and not environment:
        output.line("no project of another owner is trusted")


def _called(name: str) -> str:
    return "every project" if name == "*" else name
