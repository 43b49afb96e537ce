"""GitHub through its own command line, `gh`: authentication, hosts and proxies are its business."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hatch_heimdall_models.errors import ModelBuildError

_QUIET = {
    "GH_PROMPT_DISABLED": "1",
    "GH_NO_UPDATE_NOTIFIER": "1",
    "GH_PAGER": "cat",
    "NO_COLOR": "1",
}
_LOUD = ("GH_DEBUG", "GH_FORCE_TTY", "CLICOLOR_FORCE")
_NOT_FOUND = ("HTTP 404", "HTTP 422")


class GhError(ModelBuildError):
    """A `gh` command failed; its message is what gh said."""


@dataclass(frozen=True, slots=True)
class Gh:
    """Runs `gh` for one repository.

    Attributes:
        repository: `owner/name`, on the host that `GH_HOST` names, or else on github.com.
    """

    repository: str

    @property
    def host(self) -> str:
        """The host, with its port if it has an unusual one."""
        return os.environ.get("GH_HOST") or "github.com"

    @property
    def url(self) -> str:
        """The host's URL, without a slash at the end."""
        return f"https://{self.host}"

    def run(self, *arguments: str) -> str:
        """Run a command and return what it printed.

        Raises:
            GhError: if it is not installed or failed.
        """
        program = shutil.which("gh")
        if program is None:
            raise GhError(
                "gh",
                ["is not installed: get it from https://cli.github.com or your system's packages"],
            )
        environment = {name: value for name, value in os.environ.items() if name not in _LOUD}
        done = subprocess.run(
            [program, *arguments],
            # Named always, since gh takes the host it is logged in to, if that is a single one.
            env={**environment, **_QUIET, "GH_HOST": self.host},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode:
            said = " ".join(line.strip() for line in done.stderr.splitlines() if line.strip())
            raise GhError(
                f"gh {' '.join(arguments[:3])}", [said or f"ended with code {done.returncode}"]
            )
        return done.stdout

    def release(self, command: str, *arguments: str) -> str:
        """Run a command of `gh release` on the repository."""
        return self.run("release", command, *arguments, "--repo", self.repository)

    def get(self, path: str) -> Iterator[Any]:
        """The JSON of every page at `path` below the repository, from the REST API."""
        text = self.run("api", "--paginate", f"repos/{self.repository}/{path}").strip()
        # `--paginate` prints one document after the other, with nothing between them.
        decoder = json.JSONDecoder()
        while text:
            page, end = decoder.raw_decode(text)
            yield page
            text = text[end:].lstrip()

    def commit_of(self, name: str) -> str | None:
        """The commit that a tag or branch of the repository names.

        None if there is no such name.
        """
        try:
            (commit,) = self.get(f"commits/{name}")
        except GhError as error:
            # GitHub answers 422, 'No commit found', to a name that it does not know.
            if any(code in str(error) for code in _NOT_FOUND):
                return None
            raise
        return str(commit["sha"])
