"""Is all well with heimdall on this machine? What `heimdall doctor` asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from heimdall.doctor import directories, engine, models, network, projects, qdrant, space, variables
from heimdall.doctor.finding import Check, Finding, Request, Status, failed
from heimdall.errors import HeimdallError

OF_THE_DIRECTORIES: dict[str, Check] = {
    "directories": directories.check,
    "models": models.check,
    "space": space.check,
}
"""What `check_data_directories` looks at: nothing outside the shared directories, nothing slow."""

ALL: dict[str, Check] = {
    **OF_THE_DIRECTORIES,
    "variables": variables.check,
    "network": network.check,
    "engine": engine.check,
    "projects": projects.check,
    "qdrant": qdrant.check,
}
"""Every check, by its subject, in the order in which they are made."""


def check_data_directories() -> dict[str, dict[str, str]]:
    """Look at the shared directories and at what is in them. Nothing is changed, made or fetched.

    Returns:
        For each check, by its key (`heimdall_data_dir`, `models_dir`, `qdrant_dir`, `logs_dir`, `manifest`, `models`,
        `free_space`, …): `status`, one of "✅ PASS", "⚠️ WARN", "❌ FAIL"; `path`; and `message`, which also says what
        to do.
    """
    return as_report(run(Request(), OF_THE_DIRECTORIES))


def run(request: Request, checks: dict[str, Check] | None = None) -> Iterator[Finding]:
    """Make the checks, one after the other.

    Args:
        checks: default: all of them.

    Yields:
        Findings with keys of their own, as they come. A check that can't be brought to its end is a finding too.
    """
    seen: dict[str, int] = {}
    for subject, check in (ALL if checks is None else checks).items():
        for finding in _completed(subject, check, request):
            seen[finding.key] = seen.get(finding.key, 0) + 1
            number = f".{seen[finding.key]}" if seen[finding.key] > 1 else ""
            yield Finding(
                f"{finding.key}{number}",
                finding.status,
                finding.path,
                finding.problem,
                finding.advice,
            )


def _completed(subject: str, check: Check, request: Request) -> Iterator[Finding]:
    try:
        yield from check(request)
    except (HeimdallError, OSError) as error:
        path = str(getattr(error, "filename", None) or "")
        yield failed(subject, path, f"could not be looked at: {error}", "mend that, then ask again")


def as_report(findings: Iterable[Finding]) -> dict[str, dict[str, str]]:
    """The findings for machines, by key."""
    return {finding.key: finding.as_dict() for finding in findings}


def is_sound(findings: Iterable[Finding]) -> bool:
    """Whether nothing failed; warnings, and checks that were not made, are no failure."""
    return all(finding.status is not Status.FAIL for finding in findings)
