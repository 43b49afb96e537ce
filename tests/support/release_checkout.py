"""A git checkout that is ready to be released: a version, a lock, packed assets."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

from hatch_heimdall_models.manifest import Asset, Manifest, Model, ModelFile
from release.assets import SUMS_NAME, sums_bytes
from release.checkout import Checkout
from tests.support.capabilities import program
from tests.support.tiny_release import zip_bytes

TAG = "v1.0.0"
NAME = f"heimdall-models-{TAG}.zip"
REPOSITORY = "owner/tiny"
CONTENT = zip_bytes({"models/weights.bin": bytes(range(256)) * 400})
SHA256 = hashlib.sha256(CONTENT).hexdigest()
SUMS = f"{SHA256}  {NAME}\n".encode()


def manifest(asset: Asset | None = None) -> Manifest:
    """What the lock pins."""
    asset = asset or Asset(TAG, NAME, SHA256, len(CONTENT))
    weights = bytes(range(256)) * 400
    file = ModelFile("weights.bin", hashlib.sha256(weights).hexdigest(), len(weights))
    model = Model(
        "tiny-bert",
        "standard",
        "Apache-2.0",
        "https://models.example/owner/tiny-bert",
        asset,
        (file,),
    )
    return Manifest("tiny-dist", REPOSITORY, model.name, (model,))


def make_checkout(root: Path) -> Checkout:
    """Write it and commit it."""
    checkout = Checkout(root)
    assets = checkout.assets_dir(TAG)
    assets.mkdir(parents=True)
    (assets / NAME).write_bytes(CONTENT)
    (assets / SUMS_NAME).write_bytes(sums_bytes([manifest().models[0].asset]))
    (root / "models.lock.json").write_text(manifest().dumps(), encoding="utf-8")
    (root / ".gitignore").write_text("/dist/\n", encoding="utf-8")
    (root / "pyproject.toml").write_text(
        '[project]\nname = "tiny-dist"\nversion = "1.0.0"\n'
        f'[tool.hatch.build.hooks.custom]\nrepository = "{REPOSITORY}"\n',
        encoding="utf-8",
    )
    git(root, "init", "--quiet")
    commit(root)
    return checkout


def commit(root: Path) -> str:
    """Commit everything; the commit."""
    git(root, "add", "--all")
    git(
        root,
        "-c",
        "user.name=Maintainer",
        "-c",
        "user.email=m@example.org",
        "commit",
        "--quiet",
        "--message",
        "x",
    )
    return git(root, "rev-parse", "HEAD")


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(
        [program("git"), *arguments], cwd=root, check=True, capture_output=True, encoding="utf-8"
    ).stdout.strip()
