"""Processes of another user: needs root, and util-linux' setpriv. Elsewhere the test is skipped."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from tests.support.uncovered import uncovered


@dataclass(frozen=True)
class OtherUser:
    """A user without name or home, in a group."""

    uid: int
    gid: int = 54300

    def command(self, *arguments: str, umask: str = "022") -> list[str]:
        """The command line that runs `arguments` as this user.

        It keeps root's right to *read* everything, since Python itself may lie in root's home; none to write.
        """
        rights = "-all,+dac_read_search"
        ids = [f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups"]
        started = ["sh", "-c", f'umask {umask}; exec "$@"', "sh", *arguments]
        return [
            "setpriv",
            *ids,
            f"--inh-caps={rights}",
            f"--ambient-caps={rights}",
            "--bounding-set=" + rights,
            *started,
        ]

    def run(
        self, arguments: Sequence[str], environment: dict[str, str], umask: str = "022"
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, unmeasured: this user can't write coverage's files."""
        command = self.command(*arguments, umask=umask)
        return subprocess.run(
            command,
            env=uncovered(environment),
            capture_output=True,
            encoding="utf-8",
            timeout=900,
            check=False,
        )


def other_users() -> tuple[OtherUser, OtherUser]:
    """Two users of one group."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("acting as another user needs root and setpriv (util-linux)")
    users = OtherUser(54321), OtherUser(54322)
    probe = subprocess.run(users[0].command("true"), capture_output=True, check=False)
    if probe.returncode:
        pytest.skip(f"setpriv is refused here: {probe.stderr.decode().strip()}")
    return users
