"""Folders that do not tell names' case or the Unicode form of their accents apart, as macOS and Windows have them."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest


def make_caseless(monkeypatch: pytest.MonkeyPatch, top: Path) -> None:
    """Let what this process asks about files below a folder be answered as such a filesystem would."""

    def alike(name: str) -> str:
        return unicodedata.normalize("NFC", name).casefold()

    def there(path: str) -> str:
        found = top
        for name in Path(path).relative_to(top).parts if path.startswith(f"{top}/") else ():
            names = [one.name for one in found.iterdir()] if found.is_dir() else []
            found /= next((one for one in names if alike(one) == alike(name)), name)
        return path if found == top else str(found)

    def asking(ask: Callable[..., object]) -> Callable[..., object]:
        def answer(path: object, *rest: object, **options: object) -> object:
            if isinstance(path, (str, Path)) and options.get("dir_fd") is None:
                try:
                    return ask(path, *rest, **options)
                except FileNotFoundError:
                    return ask(there(os.fspath(path)), *rest, **options)
            return ask(path, *rest, **options)

        return answer

    for name in ("stat", "lstat"):
        monkeypatch.setattr(os, name, asking(getattr(os, name)))
