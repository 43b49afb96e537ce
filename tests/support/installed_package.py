"""A package that carries a manifest, as an installer lays it out."""

from __future__ import annotations

from pathlib import Path

from hatch_heimdall_models.manifest import Manifest
from tests.support.small_model import SmallModel


def lay_out_package(site: Path, package: str, model: SmallModel) -> Path:
    """The package of that import name, whose import would fail, and its record; where its manifest is."""
    path, record = package.replace(".", "/"), site / f"{package}-1.0.dist-info"
    folder = site / path
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "__init__.py").write_text("raise RuntimeError('it is never imported')\n")
    manifest = Manifest(package, "owner/repository", model.name, model.manifest.models)
    (folder / "model_manifest.json").write_text(manifest.dumps(), encoding="utf-8")
    record.mkdir(exist_ok=True)
    (record / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    names = [f"{path}/__init__.py", f"{path}/model_manifest.json"]
    (record / "RECORD").write_text("".join(f"{name},,\n" for name in names))
    return folder / "model_manifest.json"
