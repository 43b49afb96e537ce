"""Bringing over what earlier releases left: models, memories, settings, Qdrant's folders. What `heimdall migrate` does."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from cognitive_memory.project import Project, find_project
from cognitive_memory.project.registry import remember
from heimdall.cognitive_system import data_dirs
from heimdall.errors import HeimdallError
from heimdall.migration_0_3 import copying, docker, memories, models, places, qdrant, settings
from heimdall.migration_0_3.report import MigrationReport, Outcome, Step, Wishes, failure
from heimdall.models import locations, receipts
from heimdall.models.locking import advisory_lock
from heimdall.models.transfer.progress import Progress

Embedding = Callable[[int, int], None]
"""Told how many memories have their vector, and how many are to get one."""
_LOCK_SECONDS = 600.0
_TEXTS = (
    "the texts of memories are in the original's SQLite database, never in Qdrant's folders alone"
)


def migrate_legacy_data(
    path: Path | None = None,
    *,
    dry_run: bool = False,
    remove: bool = False,
    embed: bool = True,
    progress: Embedding | None = None,
) -> MigrationReport:
    """Bring over what earlier releases left. Safe to repeat, and to kill at any moment.

    Nothing is ever overwritten. Nothing is deleted, unless `remove` says so, and then only what was read back from its new
    place.

    Args:
        path: a project, or a folder of models or of Qdrant; default: the project around the working directory.
        dry_run: only tell what would be done.
        remove: delete what came over.
        embed: make the vectors of memories that came over, if the model is on this machine; they wait otherwise.
        progress: told while that is done.

    Returns:
        What was done, thing by thing. A thing that could not be brought over is in it, as failed, and left as it was.

    Raises:
        ProjectError: `path` is no directory.
        ManifestError, SettingsError: the installation or a variable has to be mended first.
    """
    if path is None:
        project = find_project()
        # earlier releases went by the working directory alone
        tops = list(dict.fromkeys([project.root, Path.cwd()]))
    else:
        find_project(path)  # says what is wrong with it
        project = Project(path.absolute())
        tops = [project.root]
    wishes = Wishes(dry_run=dry_run, remove=remove, embed=embed)
    report = MigrationReport(dry_run=dry_run)
    if dry_run:
        _run(project, tops, wishes, report, progress)
        return report
    shared = data_dirs.get_heimdall_data_dir()
    shared.mkdir(parents=True, exist_ok=True)
    with advisory_lock(shared / "migrate.lock", _LOCK_SECONDS, lambda: False, Progress()):
        for directory in _written_to(project):
            copying.sweep(directory)
        _run(project, tops, wishes, report, progress)
    return report


def _written_to(project: Project) -> list[Path]:
    """Where a migration that was killed may have left something."""
    models_dir, shared = Path(locations.models_dir()), data_dirs.get_qdrant_data_dir()
    below = [
        path for path in models_dir.rglob("*") if path.is_dir() and receipts.STORE not in path.parts
    ]
    return [
        models_dir,
        *below,
        shared,
        *(path for path in shared.glob("*") if path.is_dir()),
        project.folder,
    ]


def _run(
    project: Project,
    tops: list[Path],
    wishes: Wishes,
    report: MigrationReport,
    progress: Embedding | None,
) -> None:
    report.steps += _models(tops, wishes)
    report.steps += _memories(project, tops, wishes, report)
    report.steps += _qdrant(tops, wishes, report)
    if wishes.embed and not wishes.dry_run:
        _embed(project, report, progress)


def _models(tops: list[Path], wishes: Wishes) -> Iterator[Step]:
    for folder in [folder for top in tops for folder in places.model_folders(top)]:
        yield from models.bring_over(folder, wishes)
    for shared in places.older_shared_directories():
        if (shared / "models").is_dir():
            # It may be in use by the release that made it.
            yield from models.bring_over(shared / "models", replace(wishes, remove=False))


def _memories(
    project: Project, tops: list[Path], wishes: Wishes, report: MigrationReport
) -> Iterator[Step]:
    for path, problem in places.unreadable_databases(project, tops).items():
        yield failure("memories", path, problem)
    databases = places.databases(project, tops)
    if step := settings.bring_over(project, wishes):
        yield step
    if not wishes.dry_run and databases:
        project = Project(project.root)  # whose settings are read anew
    for database in databases:
        step = memories.bring_over(database, project, wishes)
        if step.outcome is Outcome.BROUGHT:
            # the note only serves 'heimdall project list' and the doctor
            with contextlib.suppress(OSError):
                remember(project)
        yield step
    if databases:
        report.notes.append(
            "memories keep their ids, tags, types, times and sources; vectors are made anew"
        )


def _qdrant(tops: list[Path], wishes: Wishes, report: MigrationReport) -> Iterator[Step]:
    shared = data_dirs.get_qdrant_data_dir()
    found = [folder for top in tops for folder in places.qdrant_folders(top)]
    older = [
        folder
        for top in places.older_shared_directories()
        if (folder := qdrant.recognise(top / "qdrant"))
    ]
    for here in found:
        yield from qdrant.bring_over(here, shared, wishes)
    for there in older:
        yield from qdrant.bring_over(there, shared, replace(wishes, remove=False))
    yield from _volumes(shared, wishes, report)
    if found := [*found, *older]:
        ids = sorted({name for folder in found for name in folder.projects})
        named = f" They hold vectors of {', '.join(ids)}." if ids else ""
        report.notes.append(
            f"{_TEXTS}: without that, Qdrant's folders bring no memory back.{named}"
        )


def _volumes(shared: Path, wishes: Wishes, report: MigrationReport) -> Iterator[Step]:
    if not docker.is_here():
        report.notes.append(
            "there is no docker command here: named volumes of Docker were not looked at"
        )
        return
    try:
        found = docker.volumes()
    except (docker.DockerError, ValueError) as error:
        report.notes.append(f"named volumes of Docker were not looked at: {error}")
        return
    for volume in found:
        yield from _volume(volume, shared, wishes)


def _volume(volume: docker.Volume, shared: Path, wishes: Wishes) -> Iterator[Step]:
    name = f"docker volume {volume.name}"
    if volume.container is None:
        detail = "no container has it, so docker can't read it without starting one; make one that mounts it"
        yield Step("volume", name, Outcome.LEFT, detail=detail)
    elif volume.running:
        yield Step(
            "volume",
            name,
            Outcome.LEFT,
            detail=f"in use: 'docker stop {volume.container}', then migrate again",
        )
    elif wishes.dry_run:
        yield Step(
            "volume", name, Outcome.WOULD, str(shared), "as a verified copy, if it is Qdrant's"
        )
    else:
        try:
            yield from _volume_copied(volume, name, shared, wishes)
        except (HeimdallError, OSError) as error:
            yield failure("volume", name, error)


def _volume_copied(
    volume: docker.Volume, name: str, shared: Path, wishes: Wishes
) -> Iterator[Step]:
    with (
        TemporaryDirectory(prefix="heimdall-") as folder,
        docker.copied(volume, Path(folder) / "volume") as copy,
    ):
        found = qdrant.recognise(copy)
        if found is None:
            yield Step("volume", name, Outcome.LEFT, detail="it holds nothing of Qdrant's")
            return
        for step in qdrant.bring_over(found, shared, replace(wishes, remove=False)):
            inside = Path(step.source).relative_to(copy).as_posix()
            detail = f"{step.detail}; 'docker volume rm {volume.name}' removes it when you no longer want it"
            yield replace(step, kind="volume", source=f"{name}: {inside}", detail=detail)


def _embed(project: Project, report: MigrationReport, progress: Embedding | None) -> None:
    """Make the vectors, if that takes no download; memories can be found by their words until then."""
    if not any(
        step.kind == "memories" and step.outcome is not Outcome.FAILED for step in report.steps
    ):
        return
    from cognitive_memory.embedding.embedder import ModelEmbedder
    from cognitive_memory.project_memory import ProjectMemory

    try:
        with ProjectMemory.open(project.database) as memory:
            if ModelEmbedder().ready():
                memory.embed_pending(progress=progress)
            pending = memory.status().pending
    except HeimdallError as error:
        report.notes.append(f"the memories came over, but their vectors could not be made: {error}")
        return
    if pending:
        wait = "they are found by their words until the model is here ('heimdall models pull') and has made them"
        report.notes.append(f"{pending} memories have no vector yet; {wait}")
