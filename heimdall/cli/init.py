"""The command `heimdall init`: from an installed heimdall to one that is used, in one go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from heimdall.cli import output
from heimdall.cli.command import command, json_wanted, report_of
from heimdall.cli.opening import model_is_here
from heimdall.models.report import Report

if TYPE_CHECKING:
    from cognitive_memory.project.find import Project


@dataclass(frozen=True, slots=True)
class _Step:
    """One of the commands that are carried out.

    Attributes:
        name: its name, in JSON with underscores.
        does: what it does here, for people; what it can't do, if `run` is missing.
        run: carries it out, with further options.
    """

    name: str
    does: str
    run: Callable[..., Report] | None


@command()
@click.option("--no-project", is_flag=True, help="Make no settings.")
@click.option("--no-mcp", is_flag=True, help="Connect no assistant.")
@click.option("--no-load", is_flag=True, help="Load no files.")
@click.option("--no-git-load", is_flag=True, help="Load no commits.")
@click.option(
    "--hooks", is_flag=True, help="Have sessions begin with what matters, where assistants can."
)
@click.option(
    "--no-embed", is_flag=True, help="Leave the vectors for later; keywords find it at once."
)
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
def init(
    *,
    no_project: bool,
    no_mcp: bool,
    no_load: bool,
    no_git_load: bool,
    hooks: bool,
    no_embed: bool,
    yes: bool,
    dry_run: bool,
) -> Report:
    """Set up this project and your assistants, and remember what is there.

    What 'heimdall project init', 'mcp install --all', 'load' and 'git-load' do, one after the other. It says what it would
    do and asks once; where there is no terminal, --yes is needed. It may be repeated: only what is new is done. Whatever
    fails keeps nothing else from being done.

    Examples:
        heimdall init  # in the repository around the working directory
        heimdall init --dry-run  # only say what would be done
        heimdall init --yes --no-mcp  # unasked, and without a change to your assistants
    """
    from cognitive_memory.project.find import check_place, find_project

    project = find_project()
    check_place(project.root)
    left_out = {"project": no_project, "mcp": no_mcp, "load": no_load, "git-load": no_git_load}
    steps = [
        step for step in _steps(project, embed=not no_embed, hooks=hooks) if not left_out[step.name]
    ]
    if not json_wanted():
        _say(project.root, steps)
    plan = {step.name.replace("-", "_"): step.does for step in steps}
    document: dict[str, object] = {"root": project.root, "dry_run": dry_run, "steps": plan}
    if dry_run:
        return Report(document, lambda: None)
    if not (yes or output.agreed("Do that?")):
        return Report(document, lambda: output.line("nothing was done"), sound=False)
    done, failures = _carry_out(steps)
    return Report({**document, "done": done}, _show_end, errors=failures)


def _steps(project: Project, *, embed: bool, hooks: bool) -> list[_Step]:
    from heimdall.cli import git_load, load, mcp
    from heimdall.cli import project as projects
    from heimdall.mcp_clients import setup
    from heimdall.mcp_clients.clients import CLIENTS, USER
    from heimdall.models.settings import Settings

    root = str(project.root)
    later = () if embed else ("--no-embed",)
    # Named either way: without it, the command would ask once more.
    assistants = ("--all", "--hooks" if hooks else "--no-hooks")
    here = [
        client.title
        for client in CLIENTS.values()
        if USER in client.scopes and setup.is_here(client)
    ]
    needed = embed and not model_is_here() and not Settings.from_environment().network_forbidden_by
    fetched = "; the model is fetched for that, once per machine" if needed else ""
    made = "is there already" if project.database.exists() else "is made in .heimdall"
    connected = (
        f"connects {', '.join(here)}{', with hooks where there are any' if hooks else ''}"
        if here
        else "finds no assistant here; 'heimdall mcp list' shows those it knows"
    )
    repository = (project.root / ".git").exists()
    return [
        _Step("project", f"its memory {made}", lambda: report_of(projects.init, root)),
        _Step("mcp", connected, (lambda: report_of(mcp.install, *assistants)) if here else None),
        _Step(
            "load",
            f"remembers what its files say{fetched}",
            lambda *options: report_of(load.load, root, *later, *options),
        ),
        _Step(
            "git-load",
            "remembers its commits" if repository else "finds no git repository",
            (lambda *options: report_of(git_load.git_load, root, *later, *options))
            if repository
            else None,
        ),
    ]


def _say(root: Path, steps: list[_Step]) -> None:
    output.line(output.strong(str(root)))
    output.fields((step.name, step.does) for step in steps)


def _carry_out(steps: list[_Step]) -> tuple[Mapping[str, object], list[str]]:
    """Do one step after the other, and say what became of each as soon as it is known."""
    from heimdall.errors import HeimdallError

    done: dict[str, object] = {}
    failures: list[str] = []
    options: tuple[str, ...] = ()
    for step in steps:
        if step.run is None:
            continue
        if not json_wanted():
            output.line()
            output.line(output.strong(step.name))
        try:
            report = step.run(*options)
        except (HeimdallError, OSError) as error:
            failures.append(f"{step.name}: {error}")
            continue
        done[step.name.replace("-", "_")] = report.document
        failures += report.errors
        if report.document.get("embedding_problem"):
            # It took its time to find that out, and would again.
            options = ("--no-embed",)
        if not json_wanted():
            report.show()
    return done, failures


def _show_end() -> None:
    output.line()
    output.line("'heimdall recall' finds it again, 'heimdall status' tells what is remembered")
