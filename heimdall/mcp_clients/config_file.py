"""A configuration file of somebody else's: read whole, replaced whole, with a copy of what was there."""

from __future__ import annotations

import os
import shutil
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from heimdall.mcp_clients.errors import ClientConfigError, FileChangedError
from heimdall.models.files import draft

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A file as it was read.

    Attributes:
        path: where it is, as the client names it.
        text: what it holds; empty if it does not exist.
        original: its bytes; None if it does not exist.
    """

    path: Path
    text: str
    original: bytes | None

    @classmethod
    def read(cls, path: Path) -> ConfigFile:
        """Read the file.

        Raises:
            ClientConfigError: it can't be read, or is no text.
        """
        try:
            # A pipe would be waited for, and a device is for others to write.
            if not stat.S_ISREG(path.stat().st_mode):
                raise ClientConfigError(path, "is no ordinary file")
            original = path.read_bytes()
        except FileNotFoundError:
            return cls(path, "", None)
        except OSError as error:
            raise ClientConfigError(path, f"can't be read ({error.strerror})") from error
        try:
            return cls(path, original.removeprefix(_BOM).decode(), original)
        except UnicodeDecodeError as error:
            raise ClientConfigError(
                path, f"is not UTF-8 at byte {error.start}: correct it by hand first"
            ) from None

    def replace(self, text: str, backups: Path) -> Path | None:
        """Put `text` in its place, or remove the file if that is empty.

        The new file takes the old one's place in one step and keeps its owner and mode. A symbolic
        link stays one; a file of several names is written in its place, so that it keeps them.

        Args:
            text: the new content.
            backups: the directory that gets a copy of what was there.

        Returns:
            The copy; None if there was no file.

        Raises:
            FileChangedError: somebody else changed the file in the meantime.
            ClientConfigError: it can't be written, or its owner has forbidden it.
        """
        # Behind a symbolic link: dotfile managers keep the file elsewhere, and the link has to
        # stay.
        target = Path(os.path.realpath(self.path))
        try:
            known = target.stat() if self.original is not None else None
            # Its folder may permit what the file itself does not.
            if known and not known.st_mode & stat.S_IWUSR:
                raise ClientConfigError(
                    self.path, "is read-only: change it where it is made, or permit writing"
                )
            copy = self._back_up(backups)
            # The client may have written while we thought; what it wrote must not be lost.
            if ConfigFile.read(self.path).original != self.original:
                raise FileChangedError(
                    self.path, "was changed by another program just now: close that and try again"
                )
            if not text:
                target.unlink(missing_ok=True)
            else:
                self._write(target, text, known)
        except OSError as error:
            raise ClientConfigError(
                self.path, f"can't be changed ({error.strerror or error})"
            ) from error
        return copy

    def _back_up(self, backups: Path) -> Path | None:
        if self.original is None:
            return None
        backups.mkdir(parents=True, exist_ok=True)
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        copy = backups / f"{moment}-{self.path.name.lstrip('.')}"
        copy.touch(mode=0o600, exist_ok=False)  # it may hold other servers' secrets
        copy.write_bytes(self.original)
        return copy

    def _write(self, target: Path, text: str, known: os.stat_result | None) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        content = (_BOM if (self.original or b"").startswith(_BOM) else b"") + text.encode()
        if known and known.st_nlink > 1:
            target.write_bytes(content)
            return
        with draft(target, mode=0o600 if known else 0o666) as beside:
            beside.write_bytes(content)
            if known:
                shutil.copymode(target, beside)
                self._keep_owner(beside, known)

    def _keep_owner(self, beside: Path, known: os.stat_result) -> None:
        made = beside.stat()
        if (made.st_uid, made.st_gid) != (known.st_uid, known.st_gid) and hasattr(os, "chown"):
            try:
                os.chown(beside, known.st_uid, known.st_gid)
            except PermissionError:
                if made.st_uid != known.st_uid:
                    raise ClientConfigError(self.path, "belongs to another user") from None
