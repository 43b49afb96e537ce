"""`heimdall-models` without heimdall, in a virtual environment with a home of its own."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.small_model import from_mirror


@dataclass(frozen=True)
class ResolverAlone:
    """The environment is `<folder>/venv`; `mirror` is a URL, or several with commas between."""

    folder: Path
    mirror: str

    def run(
        self, program: str, *arguments: str, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.folder / "home"),
            "HEIMDALL_SYSTEM_MODELS": str(self.folder / "no-system-models"),
            "PYTHONWARNINGS": "error",
            **from_mirror(self.mirror),
            **variables,
        }
        return subprocess.run(
            [self.folder / "venv" / "bin" / program, *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    def ensure(self, package: str, **variables: str) -> subprocess.CompletedProcess[str]:
        code = f"import heimdall_models; print(heimdall_models.ensure({package!r}))"
        return self.run("python", "-c", code, **variables)

    def command(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return self.run("heimdall-models", *arguments, **variables)
