"""Is all well with heimdall on this machine? The checks, one after the other, and their report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from heimdall.doctor import directories, engine, models, network, projects, qdrant, space, variables
from heimdall.doctor.finding import Check, Finding, Request, Status, failed
from heimdall.errors import HeimdallError

CHECKS_OF_DIRECTORIES: Mapping[str, Check] = {
    "directories": directories.check,
    "models": models.check,
    "space": space.check,
}
"""What `check_data_directories` looks at: nothing outside the shared directories, nothing slow."""

CHECKS: Mapping[str, Check] = {
    **CHECKS_OF_DIRECTORIES,
    "variables": variables.check,
    "network": network.check,
    "engine": engine.check,
    "projects": projects.check,
    "qdrant": qdrant.check,
}
"""Every check, by its subject, in the order in which they are made."""


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


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the checks say.

    Attributes:
        findings: in the order of the checks, each with a key of its own.
        repairs: what was repaired before these checks were made.
    """

    findings: Sequence[Finding]
    repairs: Sequence[Repair] = ()

    @property
    def sound(self) -> bool:
        """Whether nothing failed; warnings, and checks that were not made, are no failure."""
        return all(finding.status is not Status.FAIL for finding in self.findings)

    def as_json(self) -> dict[str, object]:
        """The object that `heimdall doctor --json` prints."""
        return {
            "sound": self.sound,
            "checks": {finding.key: finding.as_json() for finding in self.findings},
            "mended": [asdict(step) for step in self.repairs],
        }


def check_data_directories() -> dict[str, dict[str, str]]:
    """Look at the shared directories and at what is in them. Nothing is changed, made or fetched.

    Returns:
        For each check, by its key (`heimdall_data_dir`, `models_dir`, `qdrant_dir`, `logs_dir`,
        `manifest`, `models`, `free_space`, …): `status`, one of "✅ PASS", "⚠️ WARN", "❌ FAIL";
        `path`; and `message`, which also says what to do.
    """
    findings = examine(Request(), CHECKS_OF_DIRECTORIES)
    return {finding.key: finding.as_json() for finding in findings}


def diagnose(request: Request, *, fix: bool = False) -> Diagnosis:
    """Make every check.

    Args:
        request: what is looked at.
        fix: repair what can be repaired without losing anything, then check again.
    """
    findings = list(examine(request))
    repairs = list(repair(findings)) if fix else []
    return Diagnosis(list(examine(request)) if repairs else findings, repairs)


def examine(request: Request, checks: Mapping[str, Check] | None = None) -> Iterator[Finding]:
    """Make the checks, one after the other.

    Args:
        request: what is looked at.
        checks: by their subject; default: all of them.

    Yields:
        Findings with keys of their own, as they come. A check that can't be brought to its end is
        a finding too.
    """
    times_seen: Counter[str] = Counter()
    for subject, check in (CHECKS if checks is None else checks).items():
        for finding in _completed(subject, check, request):
            times_seen[finding.key] += 1
            number = times_seen[finding.key]
            yield finding if number == 1 else replace(finding, key=f"{finding.key}.{number}")


def _completed(subject: str, check: Check, request: Request) -> Iterator[Finding]:
    try:
        yield from check(request)
    except (HeimdallError, OSError) as error:
        path = str(getattr(error, "filename", None) or "")
        yield failed(
            subject,
            path,
            f"could not be looked at: {error}",
            "mend that, then run 'heimdall doctor' again",
        )


def repair(findings: Iterable[Finding]) -> Iterator[Repair]:
    """Repair what can be repaired safely; other findings are passed over in silence."""
    for finding in findings:
        if finding.repair is None:
            continue
        try:
            yield Repair(finding.key, done=True, what=finding.repair(finding))
        except (HeimdallError, OSError) as error:
            yield Repair(finding.key, done=False, what=f"could not be mended: {error}")
