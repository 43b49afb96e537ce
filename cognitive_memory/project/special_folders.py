"""Folders that macOS guards, and those that a service copies to other machines."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_SERVICES = ("Dropbox", "OneDrive", "Google Drive", "GoogleDrive", "iCloudDrive", "Nextcloud")


def privacy_advice() -> str:
    """A clause for an error that macOS' privacy protection may be the reason of; empty elsewhere."""
    is_mac = sys.platform == "darwin"
    if not is_mac:
        return ""
    return (
        ", or if macOS guards it, as Documents, Desktop and Downloads: allow the program that started heimdall (the "
        "terminal, the assistant) under System Settings, Privacy & Security, Files and Folders, and start it again"
    )


def synced_by(folder: Path) -> str | None:
    """The service that copies what is in a folder to other machines, as far as its name tells.

    Args:
        folder: absolute, without links.
    """
    home = Path(os.path.realpath(os.path.expanduser("~")))  # noqa: PTH111 (without a home it stays as it is)
    below = folder.parts[len(home.parts) :] if folder.is_relative_to(home) else ()
    if below[:2] == ("Library", "Mobile Documents"):
        return "iCloud Drive"
    if below[:2] == ("Library", "CloudStorage"):
        below = below[2:]
    return below[0] if below and below[0].startswith(_SERVICES) else None
