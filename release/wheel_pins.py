"""What a wheel pins: one that is given, or the one that is installed."""

from __future__ import annotations

import importlib.metadata
import zipfile
from dataclasses import dataclass
from email.parser import BytesParser
from pathlib import Path

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.manifest import Manifest, loads

MANIFEST = "heimdall/model_manifest.json"
"""Where the build hook puts the pins."""


@dataclass(frozen=True, slots=True)
class WheelPins:
    """A wheel's version and pins.

    Attributes:
        subject: the wheel, for messages.
        version: of the distribution.
        manifest: what it pins.
    """

    subject: str
    version: str
    manifest: Manifest


def pins_of_wheel(path: Path) -> WheelPins:
    """Read a wheel file.

    Raises:
        ModelBuildError: if it can't be read or has no pins.
    """
    try:
        with zipfile.ZipFile(path) as wheel:
            (metadata,) = (
                name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")
            )
            version = BytesParser().parsebytes(wheel.read(metadata))["Version"]
            text = wheel.read(MANIFEST).decode()
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise ModelBuildError(str(path), [f"is no wheel that can be read: {error}"]) from error
    except KeyError as error:
        raise ModelBuildError(
            str(path), [f"carries no {MANIFEST}: it was built without the hook"]
        ) from error
    return WheelPins(path.name, version, loads(text, subject=f"{path.name}:{MANIFEST}"))


def pins_of_installed(distribution: str) -> WheelPins:
    """Read what is installed in the running Python.

    Raises:
        ModelBuildError: if it is not installed, or installed without pins, as an editable
            installation is.
    """
    try:
        installed = importlib.metadata.distribution(distribution)
    except importlib.metadata.PackageNotFoundError as error:
        raise ModelBuildError(distribution, ["is not installed in this Python"]) from error
    text = next(
        (file.read_text() for file in installed.files or () if file.as_posix() == MANIFEST), None
    )
    if text is None:
        raise ModelBuildError(
            f"{distribution} {installed.version}",
            [f"has no {MANIFEST}: is it installed from a wheel?"],
        )
    subject = f"the installed {distribution} {installed.version}"
    return WheelPins(subject, installed.version, loads(text, subject=subject))
