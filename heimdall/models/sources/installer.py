"""The installer of this Python environment: pip, else uv, else the pip that Python bundles.

The index, its proxy, credentials and certificates, a folder of wheels: what lets the installer
install heimdall lets it fetch a wheel, without settings of ours.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import os
import re
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from packaging.version import Version

from ..errors import SourceError
from ..secrets import redact_message

_PLAIN_PYTHON = re.compile(
    r"(?:python|pypy|graalpy)[\d.]*(?:[tw]|_d|-dbg|-intel64)*(?:\.exe)?", re.IGNORECASE
)
# As `python -m pip`, but never a `pip.py` of the working directory, which may be anybody's.
_PIP = (
    "import sys; sys.path[:] = filter(None, sys.path); import runpy; "
    "runpy.run_module('pip', run_name='__main__', alter_sys=True)"
)
# Only the second level of verbosity tells why a page of the index could not be read.
_PIP_INSTALL = ("install", "-vv", "--no-cache-dir", "--no-compile")
_FIRST_WITH_RAW_PROGRESS = Version("24.1")
_DEFAULTS = {"PIP_RETRIES": "0", "UV_HTTP_RETRIES": "0"}
"""Unless the user says otherwise: a source that failed is asked again after all others."""
_OVERRIDES = {
    "NO_COLOR": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    # The manifest's pins are stricter than a requirement's hash.
    "PIP_REQUIRE_HASHES": "0",
    "UV_REQUIRE_HASHES": "0",
    # Nothing is installed into an environment.
    "PIP_REQUIRE_VIRTUALENV": "0",
    "PIP_USER": "0",
}
_FRAME = " \t│╰─▶\N{MULTIPLICATION SIGN}"
"""What uv draws around its errors."""
_REQUEST_FAILED = re.compile(r"Could not fetch URL .*|WARNING: The repository located at .*")
_ERROR = re.compile(r"ERROR: (?!Exception:)|[\w.]+(?:Error|Exception): ")
_PROMPT = re.compile(r"User for (\S+): ")
_TRANSIENT = re.compile(
    r"connect|timed? ?out|reset|incomplete|broken|resol(?:ve|ution)|unreachable|\b(?:408|429|50[0-4])\b",
    re.IGNORECASE,
)
_UNREACHABLE = re.compile(
    r"connection error|\(connect\)|connection to \S+ timed out|failed to (?:resolve|connect|establish)|"
    r"name resolution|unable to connect to proxy|network is unreachable|dns error|error sending request",
    re.IGNORECASE,
)


class Installer(NamedTuple):
    """An installer's name, and the command that installs requirements."""

    name: str
    command: tuple[str, ...]

    def install(self, requirement: str, target: Path) -> list[str]:
        """The command that unpacks the requirement's wheel, and nothing else, into `target`."""
        options = ["--no-deps", "--only-binary=:all:", "--target", str(target)]
        return [*self.command, *options, requirement]


def is_plain_python(executable: str, *, frozen: bool) -> bool:
    """Whether starting `executable` starts a Python.

    A frozen program, or one with Python embedded, is its own `sys.executable` and would start
    itself.
    """
    return not frozen and _PLAIN_PYTHON.fullmatch(Path(executable).name) is not None


def find_installer() -> Installer:
    """The installer of the running environment.

    Raises:
        SourceError: if there is none that can be started.
    """
    python = sys.executable or ""
    if not is_plain_python(python, frozen=hasattr(sys, "frozen")):
        raise SourceError("neither pip nor uv can be started: this program is no plain Python")
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return _pip(python, "-c", _PIP, version=importlib.metadata.version("pip"))
    if uv := next(_uvs(), None):
        return Installer("uv", (uv, "pip", "install", "--quiet", "--python", python))
    if wheel := max(_bundled_pips(), default=None):
        # How pip itself allows to be run out of its wheel.
        return _pip(python, str(wheel / "pip"), version=wheel.name.split("-")[1])
    raise SourceError("neither pip nor uv is in reach of this Python")


def _pip(*command: str, version: str) -> Installer:
    progress = "raw" if Version(version) >= _FIRST_WITH_RAW_PROGRESS else "off"
    return Installer("pip", (*command, *_PIP_INSTALL, f"--progress-bar={progress}"))


def _uvs() -> Iterator[str]:
    """The uv that runs this program, those on the path, and the one where its installer puts it.

    Programs that a desktop starts often have no path that leads there. Relative entries of the path
    are left out: the working directory may be anybody's.
    """
    name = f"uv{sysconfig.get_config_var('EXE') or ''}"
    folders = [*os.get_exec_path(), str(Path(sys.executable).parent), str(Path("~/.local/bin"))]
    paths = [os.environ.get("UV", ""), *(os.path.join(folder, name) for folder in folders)]  # noqa: PTH118
    for path in paths:
        program = os.path.expanduser(path)  # noqa: PTH111 (without a home it stays as it is)
        if os.path.isabs(program) and os.access(program, os.X_OK):  # noqa: PTH117
            yield program


def _bundled_pips() -> Iterator[Path]:
    """The wheels of pip that come with Python; Debian keeps them in a folder of its own."""
    ensurepip = importlib.util.find_spec("ensurepip")
    if ensurepip and ensurepip.origin:
        yield from Path(ensurepip.origin).parent.glob("_bundled/pip-*.whl")
    if folder := sysconfig.get_config_var("WHEEL_PKG_DIR"):
        yield from Path(folder).glob("pip-*.whl")


def installer_environment(temporary: Path) -> dict[str, str]:
    """The user's environment, with the installer's temporary files and its cache in `temporary`."""
    # Where this Python ignores such variables, they are not meant for another one that it starts.
    ignored = "PYTHON" if sys.flags.ignore_environment else "\0"
    own = {name: value for name, value in os.environ.items() if not name.startswith(ignored)}
    folders = {name: str(temporary) for name in ("TMPDIR", "TEMP", "TMP")}
    return {**_DEFAULTS, **own, **_OVERRIDES, **folders, "UV_CACHE_DIR": str(temporary / "cache")}


def failure(installer: str, output: str) -> SourceError:
    """What the output of an installer that failed says, without secrets."""
    lines = [line.strip(_FRAME) for line in output.splitlines()]
    # pip's last lines say that there is no such wheel even if it could not look for one.
    told = [line for line in lines if _REQUEST_FAILED.match(line)]
    if prompt := _PROMPT.search(output):
        told = [f"{prompt[1]} asks for a user and a password"]
    told = told or [line for line in lines if _ERROR.match(line)] or lines[-6:]
    reason = "; ".join(dict.fromkeys(filter(None, told)))
    return SourceError(
        f"{installer}: {redact_message(reason) or 'failed and said nothing'}",
        transient=_TRANSIENT.search(reason) is not None,
        unreachable=_UNREACHABLE.search(reason) is not None,
    )
