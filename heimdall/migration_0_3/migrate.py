"""Bringing over what earlier releases left: models, memories, settings, Qdrant's folders.

What `heimdall migrate` does.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from cognitive_memory.project.errors import NoProjectError, ProjectError
from cognitive_memory.project.find import Project, find_project
from cognitive_memory.project.registry import remember
from heimdall.cognitive_system import data_dirs
from heimdall.errors import HeimdallError
from heimdall.migration_0_3 import copying, docker, memories, models, places, qdrant, settings
from heimdall.migration_0_3.report import (
    MigrationError,
    MigrationReport,
    Options,
    Outcome,
    Step,
    failure,
)
from heimdall.models import locations, receipts
from heimdall.models.locking import advisory_lock

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
    progress: Embedding | None = None,
) -> MigrationReport:
    """Bring over what earlier releases left. Safe to repeat, and to kill at any moment.

    Nothing is ever overwritten. Nothing is deleted, unless `remove` says so, and then only what was
    read back from its new place.

    Args:
        path: a project, or a folder of models or of Qdrant; default: the project around the working
            directory.
        dry_run: only tell what would be done.
        remove: delete what came over.
        progress: told while the vectors of memories that came over are made; without the model on
            this machine they wait.

    Returns:
        What was done, thing by thing. A thing that could not be brought over is in it, as failed,
        and left as it was.

    Raises:
        ProjectError: `path` is no directory, or its folder is not the user's own.
        ManifestError, SettingsError: the installation or a variable has to be corrected first.
    """
    project = _project(path)
    # Earlier releases went by the working directory alone.
    tops = list(dict.fromkeys([project.root, Path.cwd()])) if path is None else [project.root]
    options = Options(dry_run, remove=remove and not dry_run)
    migration = _Migration(project, tops, options, MigrationReport(dry_run))
    if dry_run:
        migration.run(progress)
        return migration.report
    shared = data_dirs.get_heimdall_data_dir()
    shared.mkdir(parents=True, exist_ok=True)
    with advisory_lock(shared / "migrate.lock", _LOCK_SECONDS):
        for directory in _written_to(project):
            copying.sweep(directory)
        migration.run(progress)
    return migration.report


def _project(path: Path | None) -> Project:
    if path is None:
        try:
            return find_project()
        except NoProjectError as error:  # models of earlier releases come over from anywhere
            project = Project(error.path)
    elif path.is_dir():
        project = Project(path.absolute())
    else:
        raise ProjectError(path.absolute(), "is no directory; a project's directory was expected")
    project.check()
    return project


def _written_to(project: Project) -> list[Path]:
    """Where a migration that was killed may have left something."""
    models_dir, shared = Path(locations.models_dir()), data_dirs.get_qdrant_data_dir()
    below = [path for path in models_dir.rglob("*/") if receipts.STORE not in path.parts]
    return [models_dir, *below, shared, *shared.glob("*/"), project.folder]


@dataclass(frozen=True, slots=True)
class _Migration:
    """One run.

    Attributes:
        project: whose memory the memories become.
        tops: folders below which earlier releases may have left something.
        options: how to migrate.
        report: what was done so far.
    """

    project: Project
    tops: list[Path]
    options: Options
    report: MigrationReport

    def run(self, progress: Embedding | None) -> None:
        # Asked first: afterwards the settings that name a place are others.
        outside = list(places.outside(self.project, self.tops))
        for steps in (self._models(), self._memories(), self._qdrant(), outside):
            self.report.steps.extend(steps)
        if not self.options.dry_run:
            self._embed(progress)

    @property
    def _keeping(self) -> Options:
        """For what may be in use by the release that made it."""
        return replace(self.options, remove=False)

    def _models(self) -> Iterator[Step]:
        for folder in places.model_folders(self.project, self.tops):
            yield from models.migrate(folder, self.options)
        for shared in places.older_shared_directories():
            if (shared / "models").is_dir():
                yield from models.migrate(shared / "models", self._keeping)

    def _memories(self) -> Iterator[Step]:
        databases, unreadable = places.databases(self.project, self.tops)
        for path, problem in unreadable.items():
            yield failure("memories", path, problem)
        if step := settings.migrate(self.project, self.options):
            yield step
        # Its settings may be others now, and a project keeps those that it has read.
        project = Project(self.project.root)
        for database in databases:
            step = memories.migrate(database, project, self.options)
            if step.outcome is Outcome.MIGRATED:
                # the note only serves 'heimdall project list' and the doctor
                with contextlib.suppress(OSError):
                    remember(project)
            yield step
        if databases:
            self.report.notes.append(
                "memories keep their ids, tags, types, times and sources; vectors are made anew"
            )

    def _qdrant(self) -> Iterator[Step]:
        shared = data_dirs.get_qdrant_data_dir()
        folders = places.qdrant_folders(self.project, self.tops)
        older = [
            folder
            for top in places.older_shared_directories()
            if (folder := qdrant.recognise(top / "qdrant"))
        ]
        for folder in folders:
            yield from qdrant.migrate(folder, shared, self.options)
        for folder in older:
            yield from qdrant.migrate(folder, shared, self._keeping)
        for volume in self._volumes():
            yield from docker.migrate(volume, shared, self.options)
        if folders or older:
            ids = sorted({name for folder in (*folders, *older) for name in folder.projects})
            named = f" They hold vectors of {', '.join(ids)}." if ids else ""
            self.report.notes.append(
                f"{_TEXTS}: without that, Qdrant's folders bring no memory back.{named}"
            )

    def _volumes(self) -> list[docker.Volume]:
        if not docker.is_here():
            self.report.notes.append(
                "there is no docker command here: named volumes of Docker were not looked at"
            )
            return []
        try:
            return docker.volumes()
        except (MigrationError, ValueError) as error:
            self.report.notes.append(f"named volumes of Docker were not looked at: {error}")
            return []

    def _embed(self, progress: Embedding | None) -> None:
        """Make the vectors, if that takes no download.

        Memories can be found by their words until then.
        """
        if not any(
            step.kind == "memories" and step.outcome is not Outcome.FAILED
            for step in self.report.steps
        ):
            return
        from cognitive_memory.embedding.embedder import ModelEmbedder
        from cognitive_memory.project_memory import ProjectMemory

        try:
            with ProjectMemory.open(self.project.database) as memory:
                if ModelEmbedder().ready():
                    memory.embed_pending(progress=progress)
                pending = memory.storage.status().pending
        except HeimdallError as error:
            problem = f"the memories came over, but their vectors could not be made: {error}"
            self.report.notes.append(problem)
            return
        if pending:
            wait = "they are found by their words until the model is here ('heimdall models pull') and has made them"
            self.report.notes.append(f"{pending} memories have no vector yet; {wait}")
