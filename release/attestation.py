"""Build provenance: whether GitHub attests that a workflow of the repository made a file."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from release.gh import Gh, GhError


def attested(gh: Gh, path: Path, say: Callable[[str], None]) -> list[str]:
    """Ask `gh attestation verify`; what is wrong.

    It is no problem where it can't be asked: without gh, with one older than 2.49, or where there
    is no attestation at all, as with a release that was published by hand.
    """
    if shutil.which("gh") is None:
        say(
            f"{path.name}: its attestation was not looked at: that takes gh, which is not installed"
        )
        return []
    try:
        # An unknown command fails as a wrong attestation does; its help fails only where it is
        # unknown.
        gh.run("attestation", "verify", "--help")
    except GhError:
        say(
            f"{path.name}: its attestation was not looked at: that takes gh 2.49 or newer, this one is older"
        )
        return []
    try:
        gh.run("attestation", "verify", str(path), "--repo", gh.repository)
    except GhError as error:
        if "HTTP 404" in str(error) or "no attestations found" in str(error).lower():
            say(
                f"{path.name} has no attestation: it was published by hand, or by another repository"
            )
            return []
        if "unsupported host" in str(error).lower():
            say(f"{path.name}: its attestation was not looked at: gh asks for none on {gh.host}")
            return []
        return [f"{path.name}: its attestation does not hold: {error}"]
    say(f"{path.name} was made by a workflow of {gh.repository}")
    return []
