"""Does the engine run here? A known sentence has to get its known vector."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from cognitive_memory.encoding.errors import REINSTALL
from heimdall.doctor.finding import Finding, Request, failed, not_checked, passed
from heimdall.doctor.models import REPAIR
from heimdall.models.errors import ManifestError
from heimdall.models.manifest import read_model

_SECONDS = 120


def check(_request: Request) -> Iterator[Finding]:
    """In a process of its own: a library that was built for another processor ends its process without a word."""
    try:
        model = read_model()
    except ManifestError as error:
        yield not_checked("engine", "", f"it is not known which model to load ({error})")
        return
    location = model.locate()
    if not location.here:
        yield not_checked("engine", "", f"{model.label} is not on this machine")
        return
    yield _run(Path(location.directory), model.name, model.package.variant())


def _run(directory: Path, model: str, variant: str) -> Finding:
    from heimdall.models.sources.installer import is_plain_python

    if not is_plain_python(sys.executable or "", frozen=hasattr(sys, "frozen")):
        reason = (
            "this program is no plain Python, so the engine can't be tried in a process of its own"
        )
        return not_checked("engine", directory, reason)
    fail = partial(failed, "engine", directory)
    trial = "heimdall.doctor.engine_trial"
    # The parent's own path, so that both see the same packages however the parent was started.
    path = os.pathsep.join(entry for entry in sys.path if entry)
    environment = {**os.environ, "PYTHONPATH": path, "HEIMDALL_FETCH": "never"}
    command = [sys.executable, "-P", "-m", trial, str(directory), model, variant]
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return fail(f"a sentence was not embedded within {_SECONDS} s", REINSTALL)
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        return fail(f"the engine's process was ended by {name}", REINSTALL)
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        return fail(f"the engine's process ended with {done.returncode}: {last}", REINSTALL)
    outcome, detail = answer["outcome"], answer["detail"]
    if outcome == "right":
        return passed("engine", directory, detail)
    if outcome == "unknown":
        return not_checked("engine", directory, detail)
    return fail(detail, REINSTALL if outcome == "import" else REPAIR)
