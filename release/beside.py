"""The attestation beside each asset, `<asset>.sigstore.json`: mirrors carry it, and users can check it."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.manifest import Asset

SUFFIX = ".sigstore.json"


def attestation_name(asset: Asset) -> str:
    """What the attestation of an asset is called."""
    return f"{asset.name}{SUFFIX}"


def lay_beside(attestation: Path, assets: Sequence[Asset], folder: Path) -> list[Asset]:
    """Copy an attestation beside each of the assets.

    Args:
        attestation: a Sigstore bundle, as GitHub's action for build provenance leaves one; it may be about several
            files.
        assets: what it has to be about.
        folder: where they are.

    Returns:
        The copies.

    Raises:
        ModelBuildError: if it is not about them all. Its signature is not looked at.
    """
    content = attestation.read_bytes()
    try:
        statement = json.loads(base64.b64decode(json.loads(content)["dsseEnvelope"]["payload"]))
        digests = {subject["digest"]["sha256"] for subject in statement["subject"]}
    except (ValueError, KeyError, TypeError) as error:
        problem = f"is no Sigstore bundle with a statement ({type(error).__name__})"
        raise ModelBuildError(str(attestation), [problem]) from error
    problems = [
        f"says nothing of {asset.name} (sha256 {asset.sha256})"
        for asset in assets
        if asset.sha256 not in digests
    ]
    if problems:
        raise ModelBuildError(str(attestation), problems)
    paths = [folder / attestation_name(asset) for asset in assets]
    for path in paths:
        path.write_bytes(content)
    return [Asset.of_file(asset.tag, path) for asset, path in zip(assets, paths, strict=True)]
