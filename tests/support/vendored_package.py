"""A package that fetches its model by the file that `hatch-heimdall-models vendor` writes, run by any Python."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from hatch_heimdall_models.config import HookConfig
from hatch_heimdall_models.vendor import vendored_text
from tests.support.small_model import SmallModel
from tests.support.waiting import PATIENCE

CONFIG = HookConfig("src/app/models", "src/app/model_manifest.json", "owner/repository")


@dataclass(frozen=True)
class VendoredPackage:
    """The package `app`, laid out below `root/src` as in its tree, with a lock at the top as in a checkout.

    Attributes:
        root: of the tree; beside it is the home of those who run it.
    """

    root: Path

    @classmethod
    def make(cls, root: Path, model: SmallModel) -> VendoredPackage:
        package = root / "src" / "app"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("from ._models import ModelError, ensure\n")
        text = vendored_text(CONFIG, "src/app/_models.py")
        (package / "_models.py").write_text(text, "utf-8", newline="\n")
        model.write_manifest(package / "model_manifest.json")
        return cls(root)

    @property
    def package(self) -> Path:
        return self.root / "src" / "app"

    @property
    def home(self) -> Path:
        return self.root.parent / "home"

    @property
    def homes(self) -> dict[str, str]:
        """What tells the home and the cache, on any system."""
        home, cache = str(self.home), str(self.cache.parent)
        return {"HOME": home, "USERPROFILE": home, "LOCALAPPDATA": cache}

    @property
    def cache(self) -> Path:
        return self.home / ".cache" / "heimdall-vendored"

    def zipped(self) -> Path:
        """The package in a zip that Python imports from."""
        archive = self.root.parent / "app.zip"
        with zipfile.ZipFile(archive, "w") as stream:
            for path in self.package.rglob("*"):
                stream.write(path, path.relative_to(self.root / "src"))
        return archive

    def start(
        self,
        code: str = "print(app.ensure())",
        *,
        python: Path | str = sys.executable,
        path: Path | None = None,
        **variables: str,
    ) -> subprocess.Popen[str]:
        environment = {
            **{name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ},
            **self.homes,
            "PYTHONPATH": str(path or self.root / "src"),
            "PYTHONDONTWRITEBYTECODE": "1",
            **variables,
        }
        return subprocess.Popen(
            [python, "-W", "error", "-c", f"import app\n{code}"],
            env=environment,
            cwd=self.root.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def run(self, code: str = "print(app.ensure())", **options: object) -> tuple[str, str]:
        """What it printed, and the last lines of its errors."""
        process = self.start(code, **options)  # type: ignore[arg-type]
        stdout, stderr = process.communicate(timeout=PATIENCE)
        return stdout.strip(), stderr
