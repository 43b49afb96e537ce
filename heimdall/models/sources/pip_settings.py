"""Which package indexes pip would use here, and how: its variables, its configuration files, else its own default.

pip itself is asked, so that whatever lets it install heimdall also lets heimdall find its model; no index is named in
this code. An environment without pip (as uv makes them) asks the pip that is bundled with Python.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ..errors import SourceError

_SECTIONS = ("global", "install", ":env:")
"""pip's configuration sections, each overriding those before it."""
_SECONDS = 60
_DEFAULT = re.compile(r"--index-url <url>.*?\(default\s+(?P<url>\S+)\)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """Package indexes and how to reach them.

    Attributes:
        indexes: URLs of simple indexes, in order; they may carry credentials.
        proxy: a proxy that pip is told to use.
        authority: a file of certificate authorities that pip is told to use.
    """

    indexes: tuple[str, ...]
    proxy: str | None = None
    authority: str | None = None


def read_index_settings(environment: Mapping[str, str] | None = None) -> IndexSettings:
    """Ask pip, and look at uv's variables.

    Raises:
        SourceError: if no index is configured and there is no pip to ask.
    """
    environ = os.environ if environment is None else environment
    configured = parse_configuration(_pip("config", "list") or _from_variables(environ))
    uv = [
        environ.get("UV_DEFAULT_INDEX") or environ.get("UV_INDEX_URL") or "",
        *environ.get("UV_INDEX", "").split(),
    ]
    own = (
        []
        if configured.get("no-index", "").lower() in {"1", "true", "yes", "on"}
        else configured.get("index-url", "").split()
    )
    extra = configured.get("extra-index-url", "").split()
    named = [*own, *(url.partition("=")[2] if re.match(r"\w+=", url) else url for url in uv if url)]
    if not named and "no-index" not in configured:
        named = [_default_index()]
    return IndexSettings(
        indexes=tuple(dict.fromkeys(url.rstrip("/") for url in (*named, *extra))),
        proxy=configured.get("proxy") or None,
        authority=configured.get("cert") or None,
    )


def parse_configuration(text: str) -> dict[str, str]:
    """What `pip config list` prints (`section.key='value'` lines) as option → value, later sections overriding."""
    values: dict[str, dict[str, str]] = {section: {} for section in _SECTIONS}
    for line in text.splitlines():
        name, _, quoted = line.partition("=")
        section, _, key = name.rpartition(".")
        if section in values:
            values[section][key.lower().replace("_", "-")] = _unquoted(quoted)
    return {key: value for section in _SECTIONS for key, value in values[section].items()}


def parse_default_index(text: str) -> str | None:
    """The default index that the text of `pip install --help` names."""
    match = _DEFAULT.search(text)
    return match["url"] if match else None


def _unquoted(quoted: str) -> str:
    try:
        return str(ast.literal_eval(quoted))
    except (ValueError, SyntaxError):
        return quoted


def _from_variables(environ: Mapping[str, str]) -> str:
    prefix = "PIP_"
    return "\n".join(
        f":env:.{name[len(prefix) :]}={value!r}"
        for name, value in environ.items()
        if name.startswith(prefix)
    )


def _default_index() -> str:
    text = _pip("install", "--help")
    default = parse_default_index(text) if text else None
    if default is None:
        raise SourceError(
            "no package index is configured and there is no pip to ask for its default; set PIP_INDEX_URL"
        )
    return default


def _pip(*arguments: str) -> str | None:
    """What pip prints, or None without a pip that runs."""
    if not sys.executable:
        return None  # an embedded Python
    environment = {**os.environ, "COLUMNS": "1000", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    if sys.flags.ignore_environment:
        environment.pop("PYTHONPATH", None)
    if find_spec("pip") is None:
        bundled = _bundled_pip()
        if bundled is None:
            return None
        environment["PYTHONPATH"] = os.fspath(bundled)
    try:
        finished = subprocess.run(
            # -P: never a pip.py of the working directory
            [sys.executable, "-P", "-m", "pip", *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return finished.stdout


def _bundled_pip() -> Path | None:
    ensurepip = find_spec("ensurepip")
    if ensurepip is None or ensurepip.origin is None:
        return None
    return max(Path(ensurepip.origin).parent.glob("_bundled/pip-*.whl"), default=None)
