"""Environment variables: each by itself, and against the others. One rule a function; `RULES` is the table of them."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

from heimdall.doctor.finding import Finding, Request, failed, passed, warned
from heimdall.models import locations
from heimdall.models.errors import ManifestError
from heimdall.models.manifest import read_model
from heimdall.models.secrets import redact_url as redact
from heimdall.models.settings import SOURCES, Settings, SettingsError

Environment: TypeAlias = Mapping[str, str]
Rule: TypeAlias = Callable[[Environment], Iterator[Finding]]

OURS = frozenset(
    {
        "HEIMDALL_DATA_DIR",
        "HEIMDALL_DEBUG",
        "HEIMDALL_FETCH",
        "HEIMDALL_GITHUB_TOKEN",
        "HEIMDALL_GITHUB_URL",
        "HEIMDALL_HTTP_TIMEOUT",
        "HEIMDALL_LOCK_TIMEOUT",
        "HEIMDALL_LOG_LEVEL",
        "HEIMDALL_MCP_TOKEN",
        "HEIMDALL_MODELS_MIRROR",
        "HEIMDALL_MODEL_VARIANT",
        "HEIMDALL_OFFLINE",
        "HEIMDALL_PROGRESS",
        "HEIMDALL_PROJECT",
        "HEIMDALL_QDRANT_API_KEY",
        "HEIMDALL_QDRANT_URL",
        "HEIMDALL_SOURCES",
        "HEIMDALL_SYSTEM_MODELS",
    }
)
"""Every variable of ours; a test holds this against what the code reads."""
_DIRECTORIES = (
    "HEIMDALL_DATA_DIR",
    "MODEL_CACHE_DIR",
    "HEIMDALL_SYSTEM_MODELS",
    "HEIMDALL_PROJECT",
)


def check(_request: Request) -> Iterator[Finding]:
    """All rules; one finding that says so if none of them has anything to say."""
    found = judge(os.environ)
    yield from found
    if not found:
        named = sorted(name for name in OURS | {"MODEL_CACHE_DIR"} if os.environ.get(name))
        yield passed(
            "variables",
            ", ".join(named),
            "nothing contradicts" if named else "none of heimdall's is set",
        )


def judge(environ: Environment) -> list[Finding]:
    """What all rules say about an environment: at most one finding a variable and rule."""
    return [finding for rule in RULES for finding in rule(environ)]


def _values_nobody_can_read(environ: Environment) -> Iterator[Finding]:
    for name in sorted({*OURS, "HF_HUB_OFFLINE", "GITHUB_TOKEN"} & environ.keys()):
        try:
            Settings.from_environment({name: environ[name]})
        except SettingsError as error:
            yield failed(_key(name), name, str(error), f"correct it, or unset {name}")


def _log_level_that_is_none(environ: Environment) -> Iterator[Finding]:
    from heimdall.cognitive_system.logs import LEVELS

    level = environ.get("HEIMDALL_LOG_LEVEL", "").strip().lower()
    if level and level not in LEVELS:
        problem = f"HEIMDALL_LOG_LEVEL={level!r}: expected one of {', '.join(LEVELS)}"
        yield failed(
            _key("HEIMDALL_LOG_LEVEL"), level, problem, "correct it, or unset HEIMDALL_LOG_LEVEL"
        )


def _unknown_names(environ: Environment) -> Iterator[Finding]:
    for name in sorted(environ):
        if name.startswith("HEIMDALL_") and name not in OURS:
            near = difflib.get_close_matches(name, OURS, n=1)
            hint = f"is {near[0]} meant?" if near else f"unset {name}"
            yield warned(
                _key(name), name, f"{name} is set, but this release reads no such variable", hint
            )


def _variant_that_is_not_pinned(environ: Environment) -> Iterator[Finding]:
    variant = environ.get("HEIMDALL_MODEL_VARIANT")
    if not variant:
        return
    try:
        read_model(variant=variant)
    except ManifestError as error:
        yield failed(
            _key("HEIMDALL_MODEL_VARIANT"),
            variant,
            error.reason,
            "name one that is pinned, or unset it",
        )


def _offline_twice(environ: Environment) -> Iterator[Finding]:
    ours, theirs = (environ.get(name) for name in ("HEIMDALL_OFFLINE", "HF_HUB_OFFLINE"))
    if ours is not None and not _on(ours) and _on(theirs):
        problem = "HEIMDALL_OFFLINE allows the network, HF_HUB_OFFLINE forbids it, and either one's no is final"
        yield warned(
            _key("HF_HUB_OFFLINE"),
            "HF_HUB_OFFLINE",
            problem,
            "unset HF_HUB_OFFLINE if a model is to be fetched",
        )


def _offline_but_sources_chosen(environ: Environment) -> Iterator[Finding]:
    offline = next(
        (name for name in ("HEIMDALL_OFFLINE", "HF_HUB_OFFLINE") if _on(environ.get(name))), None
    )
    remote = [
        url for url in _list(environ, "HEIMDALL_MODELS_MIRROR") if not url.startswith("file:")
    ]
    beyond = [name for name in _sources(environ) if name != "mirror"]
    chosen = [
        *(["HEIMDALL_MODELS_MIRROR"] if remote else []),
        *(["HEIMDALL_SOURCES"] if beyond else []),
    ]
    if offline and chosen:
        problem = (
            f"{' and '.join(chosen)} choose where to fetch from, but {offline} forbids the network"
        )
        yield warned(_key(offline), offline, problem, f"unset {offline}, or the others")


def _offline_but_fetching(environ: Environment) -> Iterator[Finding]:
    fetch = environ.get("HEIMDALL_FETCH", "").strip().lower()
    if fetch in {"import", "use"} and _on(environ.get("HEIMDALL_OFFLINE")):
        problem = (
            f"HEIMDALL_FETCH={fetch} asks for a fetch, but HEIMDALL_OFFLINE forbids the network"
        )
        yield warned(_key("HEIMDALL_FETCH"), "HEIMDALL_FETCH", problem, "unset one of the two")


def _mirror_that_is_not_asked(environ: Environment) -> Iterator[Finding]:
    sources, mirrors = _sources(environ), _list(environ, "HEIMDALL_MODELS_MIRROR")
    if mirrors and sources and "mirror" not in sources:
        problem = "HEIMDALL_MODELS_MIRROR names a mirror, but HEIMDALL_SOURCES leaves mirrors out"
        yield warned(
            _key("HEIMDALL_SOURCES"), ",".join(sources), problem, "add 'mirror' to HEIMDALL_SOURCES"
        )
    if sources == ["mirror"] and not mirrors:
        problem = "HEIMDALL_SOURCES asks mirrors alone, but HEIMDALL_MODELS_MIRROR names none: nobody is asked"
        yield failed(
            _key("HEIMDALL_SOURCES"),
            "mirror",
            problem,
            "set HEIMDALL_MODELS_MIRROR, or add other sources",
        )


def _github_that_is_not_asked(environ: Environment) -> Iterator[Finding]:
    sources = _sources(environ)
    for name in ("HEIMDALL_GITHUB_URL", "HEIMDALL_GITHUB_TOKEN"):
        if environ.get(name) and sources and "github" not in sources:
            problem = f"{name} is set, but HEIMDALL_SOURCES leaves GitHub out"
            yield warned(
                _key(name), name, problem, f"add 'github' to HEIMDALL_SOURCES, or unset {name}"
            )


def _mirrors_in_folders_that_are_not_there(environ: Environment) -> Iterator[Finding]:
    from heimdall.models.sources.simple_index import path_of

    for url in _list(environ, "HEIMDALL_MODELS_MIRROR"):
        if url.startswith("file:") and not path_of(url).is_dir():
            problem = f"HEIMDALL_MODELS_MIRROR names {redact(url)}, and there is no such folder"
            yield warned(
                _key("HEIMDALL_MODELS_MIRROR"),
                redact(url),
                problem,
                "mount it, or correct the variable",
            )


def _directories(environ: Environment) -> Iterator[Finding]:
    for name in _DIRECTORIES:
        value = environ.get(name, "")
        if not value:
            continue
        try:
            expanded = Path(value).expanduser()
        except RuntimeError:
            yield failed(
                _key(name),
                value,
                f"{name}: the home directory in it is not known",
                "write an absolute path",
            )
            continue
        if not expanded.is_absolute():
            problem = (
                f"{name} is a relative path: it means another place in every working directory"
            )
            yield warned(_key(name), value, problem, "write an absolute path")
        elif name in {"HEIMDALL_SYSTEM_MODELS", "HEIMDALL_PROJECT"} and not expanded.is_dir():
            yield warned(
                _key(name),
                value,
                f"{name} names a directory that is not there",
                "correct it, or unset it",
            )


def _models_apart_from_the_data(environ: Environment) -> Iterator[Finding]:
    data, models = environ.get("HEIMDALL_DATA_DIR"), environ.get("MODEL_CACHE_DIR")
    if not data or not models:
        return
    below, real = Path(locations.data_dir()) / "models", Path(locations.models_dir())
    if real != below:
        problem = f"HEIMDALL_DATA_DIR is {data}, but MODEL_CACHE_DIR wins for models: they are in {real}, not in {below}"
        yield warned(
            _key("MODEL_CACHE_DIR"), models, problem, "unset MODEL_CACHE_DIR if that is not meant"
        )


def _one_proxy_two_ways(environ: Environment) -> Iterator[Finding]:
    if os.name == "nt":
        return  # names of variables have no case there
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        upper, lower = environ.get(name), environ.get(name.lower())
        if upper and lower and upper != lower:
            problem = f"{name} and {name.lower()} differ; the second is used"
            yield warned(_key(name), redact(lower), problem, "set both alike, or one of them")


def _tokens_for_nobody(environ: Environment) -> Iterator[Finding]:
    url = environ.get("HEIMDALL_GITHUB_URL", "")
    host = _host(url)
    if (
        host
        and host != "github.com"
        and environ.get("GITHUB_TOKEN")
        and not environ.get("HEIMDALL_GITHUB_TOKEN")
    ):
        problem = (
            f"GITHUB_TOKEN (not shown) is sent to {host}, the host that HEIMDALL_GITHUB_URL names"
        )
        yield warned(
            _key("GITHUB_TOKEN"),
            redact(url),
            problem,
            f"set HEIMDALL_GITHUB_TOKEN to one for {host}",
        )


RULES: tuple[Rule, ...] = (
    _values_nobody_can_read,
    _log_level_that_is_none,
    _unknown_names,
    _variant_that_is_not_pinned,
    _offline_twice,
    _offline_but_sources_chosen,
    _offline_but_fetching,
    _mirror_that_is_not_asked,
    _github_that_is_not_asked,
    _mirrors_in_folders_that_are_not_there,
    _directories,
    _models_apart_from_the_data,
    _one_proxy_two_ways,
    _tokens_for_nobody,
)
"""All rules. Each looks at the environment and yields what is wrong with it."""


def _key(variable: str) -> str:
    return f"variables.{variable}"


def _on(value: str | None) -> bool:
    return value is not None and value.strip().lower() in {"1", "true", "yes", "on"}


def _list(environ: Environment, name: str) -> list[str]:
    return [item for part in environ.get(name, "").split(",") if (item := part.strip())]


def _sources(environ: Environment) -> list[str]:
    return [name for name in _list(environ, "HEIMDALL_SOURCES") if name in SOURCES]


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
