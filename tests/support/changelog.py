"""`python -m tests.support.changelog`: whether the changelog begins with this version, and with a date."""

from __future__ import annotations

import re
import sys
import tomllib

from tests.support.checkout import ROOT

_HEADING = re.compile(r"^## \[(?P<version>[^\]]+)\] - (?P<date>.+)$", re.MULTILINE)


def newest() -> tuple[str, str]:
    """Version and date of the first entry."""
    found = _HEADING.search((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    return (found["version"], found["date"]) if found else ("", "")


def version() -> str:
    """Of pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def main() -> None:
    """Say that both fit, or end with what to do."""
    if newest()[0] != version():
        sys.exit(
            f"CHANGELOG.md begins with {newest()[0]}, pyproject.toml has {version()}: add the entry"
        )
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", newest()[1]):
        sys.exit(
            f"CHANGELOG.md says {newest()[1]!r} of {version()}: write the date before you tag. "
            "All else of the release is as it should be."
        )
    print(f"{version()} of {newest()[1]} can be tagged")


if __name__ == "__main__":
    main()
