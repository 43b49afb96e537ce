"""What `heimdall doctor --fix` does: only what can't lose anything. `REPAIRS` is the table of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from heimdall.doctor.finding import Finding, Status
from heimdall.doctor.models import stale_downloads
from heimdall.errors import HeimdallError
from heimdall.models import locations, prune
from heimdall.models.manifest import read_model
from heimdall.models.store import Store
from heimdall.models.text import megabytes


@dataclass(frozen=True, slots=True)
class Repair:
    """What was done about a finding.

    Attributes:
        key: the finding's.
        done: whether it went well.
        what: what was done, or why it could not be done.
    """

    key: str
    done: bool
    what: str


def repair(findings: Iterable[Finding]) -> Iterator[Repair]:
    """Repair what can be repaired safely; other findings are passed over in silence."""
    for finding in findings:
        action = REPAIRS.get(finding.key.partition(".")[0])
        if action is None or finding.status not in {Status.WARN, Status.FAIL}:
            continue
        try:
            yield Repair(finding.key, done=True, what=action(finding))
        except (HeimdallError, OSError) as error:
            yield Repair(finding.key, done=False, what=f"could not be mended: {error}")


def _make_directory(finding: Finding) -> str:
    path = Path(finding.path)
    if path.is_dir():
        raise HeimdallError(f"only its owner can help: {finding.advice}")
    path.mkdir(parents=True)
    return f"made {path}"


def _provide_model(_finding: Finding) -> str:
    from dataclasses import replace

    from heimdall.models.resolver import repair
    from heimdall.models.settings import Settings

    # The user asked for it, so HEIMDALL_FETCH=never does not hold here; HEIMDALL_OFFLINE does.
    settings = replace(Settings.from_environment(), fetch="use")
    resolution = repair(read_model(), settings=settings)
    origin = (
        f"from {', '.join(resolution.sources)}"
        if resolution.sources
        else "from files that were here"
    )
    return f"{resolution.model.label} was verified and mended, {origin}: {resolution.directory}"


def _lay_out_view(_finding: Finding) -> str:
    store = Store(Path(locations.models_dir()))
    store.show(read_model())
    return f"laid the pinned files out in {store.models_dir}; what was there under their names was kept, renamed"


def _sweep(_finding: Finding) -> str:
    store = Store(Path(locations.models_dir()))
    stale = stale_downloads(store)
    prune.carry_out(store, stale)
    size = megabytes(sum(verdict.size for verdict in stale))
    return f"removed {len(stale)} unfinished downloads ({size}) that nobody works on"


def _migrate_schema(finding: Finding) -> str:
    from cognitive_memory.project_memory import ProjectMemory

    with ProjectMemory.open(Path(finding.path)) as memory:
        kept = memory.migration_backup
        version = memory.status().schema_version
    return f"{finding.path} has schema {version} now; its state before is kept in {kept}"


def _rebuild_words(finding: Finding) -> str:
    from cognitive_memory.storage.backup import rebuild_words

    rebuild_words(Path(finding.path))
    return f"made the keyword index of {finding.path} anew"


REPAIRS: dict[str, Callable[[Finding], str]] = {
    **dict.fromkeys(("heimdall_data_dir", "models_dir", "qdrant_dir", "logs_dir"), _make_directory),
    "models": _provide_model,
    "models_view": _lay_out_view,
    "models_leftovers": _sweep,
    "project_schema": _migrate_schema,
    "project_words": _rebuild_words,
}
"""What repairs a finding, by the first part of its key, and says what it did.

Each raises HeimdallError or OSError when it can't.
"""
