"""A bill of the models for `.dist-info/sboms/` (PEP 770): a CycloneDX document, by the maintained library.

The library is an extra of this distribution, and loaded only for projects that ask for a bill.
"""

from __future__ import annotations

import importlib.util
import json
from typing import TYPE_CHECKING

from hatch_heimdall_models.errors import ModelBuildError

if TYPE_CHECKING:
    from cyclonedx.model import HashType
    from cyclonedx.model.component import Component

    from hatch_heimdall_models.manifest import Manifest, Model

SBOM_NAME = "models.cdx.json"


def sbom_of(manifest: Manifest, *, version: str) -> str:
    """The bill as JSON: the same text for the same pins, so without a time and without a random number.

    Args:
        manifest: the pins.
        version: the distribution's version.

    Raises:
        ModelBuildError: if the library is not there.
    """
    if importlib.util.find_spec("cyclonedx") is None:
        problem = (
            "needs cyclonedx-python-lib: name hatch-heimdall-models[sbom] in build-system.requires"
        )
        raise ModelBuildError("sbom = true", [problem])
    from cyclonedx.model import bom, component
    from cyclonedx.output.json import JsonV1Dot6

    name = manifest.distribution
    subject = component.Component(
        name=name, version=version, type=component.ComponentType.LIBRARY, bom_ref=name
    )
    bill = bom.Bom(metadata=bom.BomMetaData(component=subject))
    models = [_model(model, manifest.repository) for model in manifest.models]
    for model in models:
        bill.components.add(model)
    bill.register_dependency(subject, models)
    document = json.loads(JsonV1Dot6(bill).output_as_string())
    # Both are optional in the format, and would make every build another one.
    del document["serialNumber"], document["metadata"]["timestamp"]
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _model(model: Model, repository: str) -> Component:
    from cyclonedx import model as cdx
    from cyclonedx.contrib.license.factories import LicenseFactory
    from cyclonedx.model.component import Component, ComponentType

    label = f"{model.name}:{model.variant}" + (f":{model.marker}" if model.marker else "")
    releases = f"https://github.com/{repository}/releases/download"
    return Component(
        name=model.name,
        version=model.asset.tag,
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref=label,
        licenses=[LicenseFactory().make_from_string(model.license)],
        external_references=[
            *(
                cdx.ExternalReference(
                    type=cdx.ExternalReferenceType.DISTRIBUTION,
                    url=cdx.XsUri(f"{releases}/{asset.tag}/{asset.name}"),
                    hashes=[_sha256(asset.sha256)],
                )
                for asset in model.assets
            ),
            cdx.ExternalReference(
                type=cdx.ExternalReferenceType.OTHER,
                url=cdx.XsUri(model.upstream),
                comment="upstream",
            ),
        ],
        properties=[
            cdx.Property(name=f"heimdall-models:{name}", value=value)
            for name, value in (("variant", model.variant), ("marker", model.marker))
            if value
        ],
        components=[
            Component(
                name=file.path,
                type=ComponentType.FILE,
                bom_ref=f"{label}/{file.path}",
                hashes=[_sha256(file.sha256)],
            )
            for file in model.files
        ],
    )


def _sha256(digest: str) -> HashType:
    from cyclonedx.model import HashAlgorithm, HashType

    return HashType(alg=HashAlgorithm.SHA_256, content=digest)
