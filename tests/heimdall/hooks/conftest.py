from __future__ import annotations

import json
import os
import subprocess
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cognitive_memory.core.memory import NewMemory
from cognitive_memory.opening import open_memory
from cognitive_memory.project.find import find_project

HEIMDALL = Path(sysconfig.get_path("scripts"), "heimdall")


@dataclass(frozen=True)
class Project:
    """A project's folder, what is put into its memory, and hooks that run in it."""

    root: Path

    def store(self, text: str, **fields: Any) -> str:
        with open_memory(find_project(self.root)) as memory:
            return memory.store(NewMemory(text=text, **fields), embed=False).id

    def payload(self, event: str = "SessionStart", **more: Any) -> dict[str, Any]:
        return {
            "session_id": "s1",
            "transcript_path": str(self.root / ".claude" / "none.jsonl"),
            "cwd": str(self.root),
            "hook_event_name": event,
            **more,
        }

    def hook(
        self, event: str, told: dict[str, Any] | bytes, *options: str, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the command as a host does, from another folder."""
        content = told if isinstance(told, bytes) else json.dumps(told).encode()
        done = subprocess.run(
            [str(HEIMDALL), "hook", event, *options],
            input=content,
            capture_output=True,
            cwd="/",
            env={**os.environ, "HEIMDALL_FETCH": "never", **variables},
            timeout=900,
            check=False,
        )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )

    def told(self, event: str, told: dict[str, Any], *options: str) -> str:
        """The text that Claude Code's model would get."""
        done = self.hook(event, told, *options)
        assert done.returncode == 0
        assert done.stderr == ""
        if not done.stdout:
            return ""
        context: str = json.loads(done.stdout)["hookSpecificOutput"]["additionalContext"]
        return context


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    monkeypatch.setenv("HEIMDALL_OFFLINE", "1")
    return Project(root)


MakeMemories = Callable[..., Any]
