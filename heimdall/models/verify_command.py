"""The command `verify`: are the files what is pinned, and were the assets made by whom they should be?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from .package import Package
from .report import Output, Report, printing

if TYPE_CHECKING:
    from .manifest import PinnedModel
    from .provenance import Provenance


def verify(
    output: Output,
    package: Package,
    *,
    variant: str | None,
    repair: bool,
    provenance: bool,
    bundle: Path | None,
) -> Report:
    """Hash every file of the model and compare it with its pin.

    Exit code 1 if one is bad and was not mended, or if an attestation that was asked for is missing or does not
    hold.
    """
    from . import resolver
    from .manifest import read_model
    from .pinned_set import PinnedSet
    from .space import explaining
    from .store import Store
    from .verify import verify as hash_files

    model = read_model(package, variant=variant)
    # First: it may turn out that they can't be checked here.
    attested = _attested(model, bundle) if provenance or bundle else None
    directory = model.locate().directory
    store = Store()
    with explaining(store.models_dir):
        findings = hash_files(PinnedSet(model, store))
    sound = all(finding.state == "ok" for finding in findings)
    repaired = repair and not sound
    if repaired:
        directory = str(resolver.repair(model).directory)
    lines = [
        _row(output, finding.state, f"{finding.path}  {finding.detail}") for finding in findings
    ]
    if sound:
        outcome = output.good("every file matches its pin")
    elif repaired:
        outcome = output.good(f"mended: every file matches its pin now, in {directory}")
    else:
        command = package.command("verify --repair")
        outcome = output.bad(f"not sound; '{command}' fetches anew what is bad")
    lines.append((outcome,))
    holds = all(one.state == "ok" for one in attested or ())
    if attested is not None:
        lines += [
            _row(output, one.state, f"{one.asset}  {one.detail or f'made by {one.signer}'}")
            for one in attested
        ]
        outcome = "its attestation holds" if len(attested) == 1 else "every attestation holds"
        problem = f"nothing proves that {model.repository} made what is pinned"
        lines.append((output.good(outcome) if holds else output.bad(problem),))
    document: dict[str, object] = {
        "sound": sound,
        "repaired": repaired,
        "directory": directory or None,
        "files": [asdict(finding) for finding in findings],
        "provenance": None if attested is None else [asdict(one) for one in attested],
    }
    return Report(document, printing(output, lines), (sound or repaired) and holds)


def _attested(model: PinnedModel, bundle: Path | None) -> list[Provenance]:
    from .provenance import check
    from .settings import Settings

    return check(model, Settings.from_environment(), bundle)


def _row(output: Output, state: str, text: str) -> tuple[str, ...]:
    return (output.good if state == "ok" else output.bad)(f"{state:<10} "), text.rstrip()
