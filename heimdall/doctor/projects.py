"""The projects that this machine knows: their settings, and their databases at the current schema and whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from heimdall.doctor.directories import accessible
from heimdall.doctor.finding import Finding, Request, failed, not_checked, passed, warned
from heimdall.errors import HeimdallError
from heimdall.models.advice import argument, take_over
from heimdall.models.ownership import owner

if TYPE_CHECKING:
    from cognitive_memory.project.errors import UntrustedProjectError
    from cognitive_memory.project.find import Project


def check(request: Request) -> Iterator[Finding]:
    """The project that was asked for or is around the working directory, then every other that is known."""
    from cognitive_memory.project.errors import NoProjectError, UntrustedProjectError
    from cognitive_memory.project.find import find_project
    from cognitive_memory.project.places import why_no_project
    from cognitive_memory.project.registry import known_projects

    here = None
    try:
        here = find_project(request.project, named=request.project is not None)
        yield from _project(here, known=False)
    except NoProjectError as error:
        yield not_checked("projects", error.path, error.reason)
    except UntrustedProjectError as error:
        yield _untrusted(error)
    for known in known_projects():
        if here is not None and known.project.root == here.root:
            continue
        if known.gone:
            problem = (
                "its directory is not there: it was removed or moved, or its disk is not mounted"
            )
            advice = "'heimdall project clean --gone' forgets what is gone"
            yield warned("projects", known.project.root, problem, advice)
        elif reason := why_no_project(known.project.root):
            problem = f"{reason}: its memory counts only where HEIMDALL_PROJECT names it"
            advice = f"'heimdall project clean {argument(known.project.root)}' removes it"
            yield warned("projects", known.project.root, problem, advice)
        else:
            yield from _project(known.project, known=True)


def _project(project: Project, *, known: bool) -> Iterator[Finding]:
    from cognitive_memory.project.errors import ProjectConfigError, UntrustedProjectError
    from cognitive_memory.project.special_folders import synced_by
    from heimdall.migration_0_3.copying import unfinished

    try:
        _ = project.config
    except UntrustedProjectError as error:
        yield _untrusted(error)
        return
    except ProjectConfigError as error:
        yield _bad_settings(project, error)
    yield _database(project, known=known)
    if project.initialised and (service := synced_by(project.root)):
        problem = (
            f"{service} copies it to other machines: two that write at once damage the database"
        )
        yield warned("projects", project.folder, problem, "move it, or leave .heimdall out there")
    if left := unfinished(project.folder):
        problem = f"a migration was interrupted and left {', '.join(path.name for path in left)}"
        advice = f"'heimdall migrate {argument(project.root)}' finishes it"
        yield warned("projects", project.folder, problem, advice)


def _untrusted(error: UntrustedProjectError) -> Finding:
    return failed("projects", error.path, error.reason, error.advice)


def _bad_settings(project: Project, error: HeimdallError) -> Finding:
    from heimdall.migration_0_3.settings import read_original

    problem, advice = "; ".join(str(error).splitlines()), "correct them"
    if read_original(project.config_path) is not None:
        problem = "these are settings of heimdall 0.3, which this release does not read"
        advice = f"'heimdall migrate {argument(project.root)}' keeps them aside"
    return failed("project_settings", project.config_path, problem, advice)


def _database(project: Project, *, known: bool) -> Finding:
    from heimdall.migration_0_3.original import is_legacy
    from heimdall.migration_0_3.places import databases

    path = project.database
    migrate = f"'heimdall migrate {argument(project.root)}' brings its memories over"
    if os.path.lexists(path):
        if is_legacy(path):
            return warned("projects", path, "these are memories of heimdall 0.3", migrate)
        for place in (path, path.parent):
            if not accessible(place, os.R_OK | os.W_OK):
                problem = f"you can't read and write {place}; it belongs to {owner(place)}"
                return failed("projects", path, problem, take_over(project.folder))
        return _schema_and_content(path)
    legacy, _ = databases(project)
    if legacy:
        problem = f"memories of heimdall 0.3 are in {legacy[0]}"
        return warned("projects", project.root, problem, migrate)
    if project.initialised or known:
        return passed("projects", project.root, "nothing is stored in this project yet")
    return not_checked(
        "projects", project.root, "there is no project here", "'heimdall project init' makes one"
    )


def _schema_and_content(path: Path) -> Finding:
    from cognitive_memory.storage import migrations, schema
    from cognitive_memory.storage.errors import StorageError

    newest = migrations.carried()[-1].version
    try:
        version = schema.probe(path)
        if version is None:
            return passed("projects", path, "is empty: nothing is stored in this project yet")
        if version > newest:
            problem = (
                f"has schema {version}, which a newer release made; this one reads up to {newest}"
            )
            return failed("projects", path, problem, "upgrade heimdall-mcp")
        if version < newest:
            problem = f"has schema {version}, this release's is {newest}; the next use brings it up, with a backup"
            return warned(
                "project_schema",
                path,
                problem,
                "'heimdall doctor --fix' does it now",
                _migrate_schema,
            )
        return _content(path, version)
    except StorageError as error:
        return failed("projects", path, error.problem, error.advice)


def _content(path: Path, version: int) -> Finding:
    from cognitive_memory.project_memory import ProjectMemory
    from cognitive_memory.storage import known
    from cognitive_memory.storage.backup import problems_in

    with ProjectMemory.open(path) as memory:
        if problems := problems_in(memory.database):
            return _damaged(path, problems)
        status = memory.storage.status()
    if known.has_journal(path):
        problem = "its filesystem lets SQLite keep no write-ahead log, as a share over SMB: it is slower, and one machine alone may use it"
        return warned("projects", path, problem, "move the project to a disk of this machine")
    waiting = f", {status.pending:,} without a vector yet" if status.pending else ""
    memories = "1 memory" if status.memories == 1 else f"{status.memories:,} memories"
    return passed("projects", path, f"is whole, at schema {version}: {memories}{waiting}")


def _damaged(path: Path, problems: list[str]) -> Finding:
    if all("keyword index" in problem for problem in problems):
        advice = "'heimdall doctor --fix' makes it anew; no memory is lost"
        return failed("project_words", path, "; ".join(problems), advice, _rebuild_words)
    advice = "bring a backup back with 'heimdall restore', or move it away; the sqlite3 tool's .recover may save what is left"
    return failed("projects", path, f"is damaged: {'; '.join(problems)}", advice)


def _migrate_schema(finding: Finding) -> str:
    from cognitive_memory.project_memory import ProjectMemory

    with ProjectMemory.open(Path(finding.path)) as memory:
        kept = memory.migration_backup
        version = memory.storage.status().schema_version
    return f"{finding.path} has schema {version} now; its state before is kept in {kept}"


def _rebuild_words(finding: Finding) -> str:
    from cognitive_memory.storage.backup import rebuild_words

    rebuild_words(Path(finding.path))
    return f"made the keyword index of {finding.path} anew"
