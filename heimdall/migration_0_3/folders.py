"""Folders that come over as a whole, or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path

from heimdall.errors import HeimdallError
from heimdall.migration_0_3 import copying
from heimdall.migration_0_3.report import Outcome, Step, Wishes, failure


def bring_over(kind: str, source: Path, target: Path, wishes: Wishes) -> Step:
    """Copy a folder, unless its name is taken; delete it if that is wished and both are read back alike."""
    try:
        if target.exists():
            if copying.digests(source) != copying.digests(target):
                return Step(
                    kind,
                    str(source),
                    Outcome.LEFT,
                    str(target),
                    f"{target} has something else, and is not replaced",
                )
            step = Step(kind, str(source), Outcome.THERE, str(target))
        elif wishes.dry_run:
            return Step(kind, str(source), Outcome.WOULD, str(target), "as a verified copy")
        else:
            copying.copy_tree(source, target)
            step = Step(kind, str(source), Outcome.BROUGHT, str(target), "copied, and read back")
        if (
            wishes.remove
            and not wishes.dry_run
            and copying.digests(source) == copying.digests(target)
        ):
            shutil.rmtree(source)
            step = step.taken_away()
    except (HeimdallError, OSError) as error:
        return failure(kind, source, error, target)
    return step
