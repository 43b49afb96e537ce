"""A model of a few kilobytes with its manifest and release asset, and heimdall installed with that manifest."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hatch_heimdall_models.manifest import Asset, Manifest, Model
from tests.support.manifests import pin_of
from tests.support.waiting import PATIENCE, let_imports_wait

ROOT = Path(__file__).resolve().parents[2]


def noise(size: int, seed: int = 0) -> bytes:
    """Bytes that do not compress."""
    return random.Random(seed).randbytes(size)


def default_files() -> dict[str, bytes]:
    """A graph and a configuration that travel inline, weights and a tokenizer that have to be fetched."""
    return {
        "net.onnx": b"graph" * 10,
        "model_config.json": b"{}\n",
        "model.safetensors": noise(300_000),
        "tokenizer/tokenizer.json": noise(80_000, seed=1),
    }


def from_mirror(url: str) -> dict[str, str]:
    """The variables that name a mirror, or several with commas between, and no other source."""
    return {"HEIMDALL_MODELS_MIRROR": url, "HEIMDALL_SOURCES": "mirror"}


@dataclass
class SmallModel:
    """Files, manifest and asset below `directory`: `<directory>/<tag>/<asset>` is a mirror."""

    directory: Path
    files: dict[str, bytes] = field(default_factory=default_files)
    also: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tag: str = "v1"
    name: str = "small"

    def __post_init__(self) -> None:
        self.asset_path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(self.asset_path, "w") as archive:
            for path, content in sorted(self.files.items()):
                archive.writestr(zipfile.ZipInfo(f"models/{path}"), content)
            archive.writestr(zipfile.ZipInfo("models/about/LICENSE"), "free")

    @property
    def asset_path(self) -> Path:
        return self.directory / self.tag / f"models-{self.tag}.zip"

    @property
    def manifest(self) -> Manifest:
        asset = self.asset_path.read_bytes()
        files = tuple(
            pin_of(path, content, self.also.get(path, ())) for path, content in self.files.items()
        )
        zipped = Asset(
            self.tag, self.asset_path.name, hashlib.sha256(asset).hexdigest(), len(asset)
        )
        model = Model(
            self.name, "standard", "Apache-2.0", "https://huggingface.co/owner/small", zipped, files
        )
        return Manifest("heimdall-mcp", "owner/repository", self.name, (model,))

    @property
    def mirror(self) -> str:
        """A `file://` mirror."""
        return self.directory.as_uri()

    @property
    def remote_size(self) -> int:
        """Bytes of the files that do not travel inline."""
        return sum(len(content) for content in self.files.values() if len(content) > 64 * 1024)

    def write_manifest(self, path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.manifest.dumps(), encoding="utf-8")
        return path

    def lay_out(self, directory: Path) -> Path:
        """Put the files there, and nothing that says where they are from."""
        for path, content in self.files.items():
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            (directory / path).write_bytes(content)
        return directory

    def assert_tree(self, directory: Path) -> None:
        """Every file is there with exactly its bytes."""
        for path, content in self.files.items():
            assert (directory / path).read_bytes() == content, path


@dataclass
class Installation:
    """heimdall as pip would lay it out, with a manifest of the test's, run by processes of their own."""

    site: Path

    @classmethod
    def make(cls, site: Path, model: SmallModel, *, patient: bool = True) -> Installation:
        return cls.pinning(site, model.manifest, patient=patient)

    @classmethod
    def pinning(cls, site: Path, manifest: Manifest, *, patient: bool = True) -> Installation:
        for package in ("heimdall", "cognitive_memory"):
            shutil.copytree(
                ROOT / package, site / package, ignore=shutil.ignore_patterns("__pycache__", "data")
            )
        shutil.copyfile(ROOT / "heimdall/_heimdall_commands.py", site / "_heimdall_commands.py")
        (site / "heimdall" / "model_manifest.json").write_text(manifest.dumps(), encoding="utf-8")
        if patient:
            let_imports_wait(site / "heimdall")
        return cls(site)

    def environment(self, **variables: str) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(self.site), "PYTHONWARNINGS": "error", **variables}

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *arguments],
            env=self.environment(**variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments, **variables)
        stdout, stderr = process.communicate(timeout=PATIENCE)
        return subprocess.CompletedProcess(arguments, process.returncode, stdout, stderr)

    def import_heimdall(self, **variables: str) -> subprocess.CompletedProcess[str]:
        return self.run("-c", "import heimdall", **variables)

    def heimdall(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return self.run("-m", "heimdall", *arguments, **variables)
