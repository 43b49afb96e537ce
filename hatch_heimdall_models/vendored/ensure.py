"""Fetches this package's model files, once per user, verified. It needs Python 3.8 or later and nothing else.

    from ._models import ensure
    directory = ensure()  # a pathlib.Path

Only the sizes and sha256 in the manifest beside this file are trusted, so that it does not matter where the bytes are
from: the mirrors in `$HEIMDALL_MODELS_MIRROR`, the GitHub release, the files' other URLs. No file gets its name before
its bytes matched. `$HEIMDALL_OFFLINE=1` forbids the network, `$HEIMDALL_DATA_DIR` names another place than the user's
cache directory, `$HEIMDALL_GITHUB_URL` another GitHub host. Proxies and certificates are those of `urllib.request`.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import pkgutil
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from hatch_heimdall_models.vendored.markers import holds
from hatch_heimdall_models.vendored.transfer import (
    CHUNK,
    Pin,
    SourceError,
    alone,
    part_beside,
    publish,
    receive,
    shown,
    take,
)

__all__ = ["ModelError", "ensure"]

# [what differs from one package to another]
MANIFEST = "model_manifest.json"
LOCK = "../models.lock.json"
MODELS_DIR = "models"
VARIANT_FOLDERS: dict[str, str] = {}
# [end of what differs]

_ROUNDS = 3
_TRUE = ("1", "true", "yes", "on")


class ModelError(RuntimeError):
    """The model can't be had; the message says why, and what to do."""


def ensure(model: str | None = None, variant: str = "standard") -> Path:
    """A directory with the pinned files of a model, fetched and verified where they are not there.

    In a checkout that has the models in its tree, it is their folder there, if it has the pinned bytes.

    Args:
        model: its name; default: the manifest's default.
        variant: its variant.

    Raises:
        ModelError: if the manifest is not there or pins no such model, or no source could provide it.
    """
    manifest = _manifest()
    entry = _entry(manifest, model, variant)
    tree = _tree(entry)
    if tree is not None:
        return tree
    pins = "\n".join(f"{pin['path']} {pin['sha256']} {pin['size']}" for pin in entry["files"])
    digest = hashlib.sha256(pins.encode()).hexdigest()
    directory = _cache() / f"{entry['name']}-{entry['variant']}-{digest[:16]}"
    try:
        if _missing(directory, entry):
            directory.mkdir(parents=True, exist_ok=True)
            with alone(directory):
                _provide(manifest, entry, directory)
    except OSError as error:
        raise ModelError(
            f"{directory}: can't keep the model here ({error}); set HEIMDALL_DATA_DIR to a folder with room that can be written"
        ) from error
    return directory


def _manifest() -> dict[str, Any]:
    """The manifest of the installed package, else, in a checkout, the lock that it is made from."""
    for name in (MANIFEST, LOCK):
        try:
            # As the package itself is loaded: from a folder, a zip, a frozen program.
            text = pkgutil.get_data(__name__, name)
        except OSError:
            continue
        try:
            manifest: dict[str, Any] = json.loads(text or b"")
            if manifest["schema"] == 1:
                return manifest
            problem = f"has schema {manifest['schema']!r}, not 1: vendor this file again with a newer hatch-heimdall-models"
        except (ValueError, TypeError, KeyError) as error:
            problem = f"is damaged ({error!r}); install the package again"
        raise ModelError(f"{name} beside {__file__} {problem}")
    raise ModelError(
        f"{MANIFEST} is not beside {__file__}: the package was built or frozen without it; whoever builds it must take it along"
    )


def _entry(manifest: dict[str, Any], model: str | None, variant: str) -> dict[str, Any]:
    """The model's entry that has the variant, and whose marker holds here; its paths are safe."""
    try:
        name = model or manifest["default"]
        for entry in manifest["models"]:
            variants = (entry["variant"], *entry.get("graphs", ()))
            if entry["name"] == name and variant in variants and holds(entry.get("marker")):
                _refuse_strange_paths(entry)
                return entry  # type: ignore[no-any-return]
        pinned = ", ".join(f"{entry['name']} ({entry['variant']})" for entry in manifest["models"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelError(f"{MANIFEST} is damaged ({error!r}); install the package again") from error
    raise ModelError(f"{MANIFEST} pins no {name} ({variant}) for this machine; it pins {pinned}")


def _refuse_strange_paths(entry: dict[str, Any]) -> None:
    for path in [entry["name"], entry["variant"], *(pin["path"] for pin in entry["files"])]:
        if set(path) & set('\\:*?"<>|\0') or {"", ".", ".."} & set(path.split("/")):
            raise ValueError(f"{path!r} is no plain relative path")


def _tree(entry: dict[str, Any]) -> Path | None:
    """The models' folder of a checkout, if it has every pinned file."""
    folder = Path(__file__).parent.joinpath(MODELS_DIR, VARIANT_FOLDERS.get(entry["variant"], ""))
    if not folder.is_dir():
        return None
    found = 0
    problem = ""
    for pin in entry["files"]:
        path = folder / pin["path"]
        with contextlib.suppress(OSError):
            status = path.stat()
            found += 1
            if _sha256_of(str(path), status.st_size, status.st_mtime_ns) == pin["sha256"]:
                continue
        problem = problem or pin["path"]
    if found and problem:
        warnings.warn(
            f"{folder}: {problem} is not what {MANIFEST} pins, so that the pinned model is used; to use this one say "
            "'hatch-heimdall-models lock'",
            stacklevel=3,
        )
    return None if problem else folder.resolve()


@functools.lru_cache(maxsize=None)
def _sha256_of(path: str, _size: int, _mtime: int) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for chunk in iter(lambda: stream.read(CHUNK), b""):
            digest.update(chunk)
    return digest.hexdigest()


def _cache() -> Path:
    """The folder of what all packages fetch in this way."""
    try:
        if os.environ.get("HEIMDALL_DATA_DIR"):
            base = Path(os.environ["HEIMDALL_DATA_DIR"]).expanduser()
        elif sys.platform == "win32":
            base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
        elif sys.platform == "darwin":
            base = Path.home() / "Library" / "Caches"
        else:
            base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError as error:
        raise ModelError(f"{error}; set HEIMDALL_DATA_DIR to a folder for the model") from error
    return base.absolute() / "heimdall-vendored"


def _missing(directory: Path, entry: dict[str, Any]) -> list[Pin]:
    """The files that are not there in their pinned size. What is there was verified before it got its name."""

    def size(path: str) -> int:
        with contextlib.suppress(OSError):
            return os.stat(os.path.join(str(directory), path)).st_size
        return -1

    return [pin for pin in entry["files"] if size(pin["path"]) != pin["size"]]


def _provide(manifest: dict[str, Any], entry: dict[str, Any], directory: Path) -> None:
    """Ask one source after the other until nothing is missing."""
    asset, files = entry["asset"], entry["files"]
    _inline(_missing(directory, entry), directory)
    failures: dict[str, str] = {}
    sources = _sources(manifest, entry)
    for number in range(_ROUNDS):
        promising = []
        for url, pin in sources:
            whole = pin not in files  # a zip of all
            missing = _missing(directory, entry)
            wanted = [item for item in missing if whole or item["sha256"] == pin["sha256"]]
            if not wanted:
                continue
            try:
                take(url, pin, wanted, directory)
            except SourceError as error:
                failures[shown(url)] = str(error)
                if error.again:
                    promising.append((url, pin))
        if not _missing(directory, entry):
            return
        sources = promising
        if not sources:
            break
        if number + 1 < _ROUNDS:
            time.sleep(1 + number)
    for variable in _offline():
        failures["the network"] = f"not asked, since {variable} is set"
    told = "".join(f"  {place}: {reason}\n" for place, reason in failures.items())
    raise ModelError(
        f"{entry['name']} ({entry['variant']}) is not in {directory} and can't be fetched:\n{told}"
        f"Put {asset['name']} (sha256 {asset['sha256']}) at <prefix>/{asset['tag']}/{asset['name']} "
        "and set HEIMDALL_MODELS_MIRROR=<prefix>, an https:// or file:// URL, or try again later."
    )


def _sources(manifest: dict[str, Any], entry: dict[str, Any]) -> list[tuple[str, Pin]]:
    """URLs that may be asked, each with what is pinned of its content: the zip of all files, or one file.

    An asset with the sha256 of a file is that file.
    """
    from urllib.parse import quote

    repository = quote(manifest["repository"])
    mirrors = os.environ.get("HEIMDALL_MODELS_MIRROR", "").split(",")
    github = os.environ.get("HEIMDALL_GITHUB_URL") or "https://github.com"
    files = {pin["sha256"]: pin for pin in entry["files"]}
    pairs = []
    for asset in (entry["asset"], *entry.get("further_assets", ())):
        below = f"{quote(asset['tag'])}/{quote(asset['name'])}"
        urls = [
            _joined(prefix, path)
            for prefix in filter(None, map(str.strip, mirrors))
            for path in (f"{repository}/{below}", below)
        ]
        urls.append(_joined(github, f"{repository}/releases/download/{below}"))
        pairs += [(url, files.get(asset["sha256"], asset)) for url in urls]
    pairs += [
        (url, pin)
        for pin in entry["files"]
        for url in pin.get("also", ())
        if url.startswith("http")
    ]
    return [pair for pair in pairs if pair[0].startswith("file:") or not _offline()]


def _joined(prefix: str, path: str) -> str:
    """The URL of a path below a prefix, whose query, as a signature, goes behind it."""
    root, question, query = prefix.partition("?")
    return f"{root.rstrip('/')}/{path}{question}{query}"


def _offline() -> list[str]:
    names = ("HEIMDALL_OFFLINE", "HF_HUB_OFFLINE")
    return [name for name in names if os.environ.get(name, "").strip().lower() in _TRUE][:1]


def _inline(pins: list[Pin], directory: Path) -> None:
    """Publish what the manifest itself carries."""
    import base64
    import zlib

    with contextlib.ExitStack() as stack:
        verified = []
        for pin in filter(lambda item: item.get("inline"), pins):
            part = stack.enter_context(part_beside(directory))
            try:
                content = zlib.decompress(base64.b64decode(pin["inline"]))
                receive((chunk for chunk in [content]), pin, part)
            except (ValueError, zlib.error, SourceError) as error:
                raise ModelError(f"{MANIFEST} is damaged: {pin['path']}: {error}") from error
            verified.append((part, directory / pin["path"]))
        publish(verified)
