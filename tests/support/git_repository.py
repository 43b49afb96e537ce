"""A real git repository, whose commits have the same ids in each run."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.capabilities import program

_EPOCH = 1_750_000_000


@dataclass
class Repository:
    """Runs git in a folder, without any of the machine's settings."""

    folder: Path
    commits: int = 0

    @classmethod
    def make(cls, folder: Path, *arguments: str) -> Repository:
        folder.mkdir(parents=True, exist_ok=True)
        repository = cls(folder)
        repository.git("init", "--quiet", "--initial-branch=main", *arguments)
        return repository

    def git(self, *arguments: str, text: bytes | None = None) -> str:
        moment = f"{_EPOCH + 60 * self.commits} +0200"
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": "Ada Lovelace",
            "GIT_AUTHOR_EMAIL": "ada@example.org",
            "GIT_AUTHOR_DATE": moment,
            "GIT_COMMITTER_NAME": "Ada Lovelace",
            "GIT_COMMITTER_EMAIL": "ada@example.org",
            "GIT_COMMITTER_DATE": moment,
        }
        finished = subprocess.run(
            [
                program("git"),
                "-C",
                str(self.folder),
                "-c",
                "protocol.file.allow=always",
                *arguments,
            ],
            env=environment,
            input=text,
            capture_output=True,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr.decode(errors="replace")
        return finished.stdout.decode(errors="replace").strip()

    def commit(self, message: str | bytes, **files: str | bytes | None) -> str:
        """Write files ("__" in a name stands for a slash, "_" before the end for its dot), remove those that are None, commit."""
        for name, content in files.items():
            path = self.folder / name.replace("__", "/").replace("_", ".")
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        self.commits += 1
        text = message.encode() if isinstance(message, str) else message
        self.git("add", "--all")
        self.git(
            "commit",
            "--quiet",
            "--allow-empty",
            "--allow-empty-message",
            "--cleanup=verbatim",
            "--file=-",
            text=text,
        )
        return self.git("rev-parse", "HEAD")
