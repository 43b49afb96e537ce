"""Environment variables: each by itself, and against the others.

One rule a function; `RULES` is the table of them.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

from heimdall.doctor.finding import Finding, Request, failed, passed, warned
from heimdall.mcp_clients.variables import LEFT_TO_THE_USER, PASSED_ON
from heimdall.models import locations
from heimdall.models.advice import how_to_set
from heimdall.models.errors import ManifestError
from heimdall.models.manifest import read_model
from heimdall.models.secrets import redact_url
from heimdall.models.settings import Settings, SettingsError

Environment: TypeAlias = Mapping[str, str]
Rule: TypeAlias = Callable[[Environment, Settings], Iterator[Finding]]

OURS = frozenset(
    name
    for name in (*PASSED_ON, *LEFT_TO_THE_USER, "HEIMDALL_MCP_TOKEN")
    if name.startswith("HEIMDALL_")
)
"""Every variable of ours; a test holds this against what the code reads."""
_THEIRS = ("HF_HUB_OFFLINE", "GITHUB_TOKEN")
"""Variables of others that the resolver reads, too."""
_MUST_BE_THERE = ("HEIMDALL_SYSTEM_MODELS", "HEIMDALL_PROJECT")
_DIRECTORIES = ("HEIMDALL_DATA_DIR", "MODEL_CACHE_DIR", *_MUST_BE_THERE)


def check(_request: Request) -> Iterator[Finding]:
    """All rules; one finding that says so if none of them has anything to say."""
    findings = judge(os.environ)
    yield from findings
    if not findings:
        named = sorted(name for name in OURS | {"MODEL_CACHE_DIR"} if os.environ.get(name))
        what = "nothing contradicts" if named else "none of heimdall's is set"
        yield passed("variables", ", ".join(named), what)


def judge(environ: Environment) -> list[Finding]:
    """What is wrong with an environment: at most one finding a variable and rule."""
    unreadable = {
        name: _failed(name, str(error), f"correct it, or unset {name}")
        for name in sorted({*OURS, *_THEIRS, *_DIRECTORIES} & environ.keys())
        if (error := _mistake_in(name, environ[name]))
    }
    # What a value that can't be read might mean for others is not guessed.
    readable = {name: value for name, value in environ.items() if name not in unreadable}
    settings = Settings.from_environment(readable)
    said = [finding for rule in RULES for finding in rule(environ, settings)]
    return [*unreadable.values(), *said]


def _mistake_in(name: str, value: str) -> SettingsError | None:
    from heimdall.cognitive_system.logs import level_from_environment

    try:
        Settings.from_environment({name: value})
        level_from_environment({name: value})
        if name in _DIRECTORIES:
            locations.named_directory(name, value)
    except SettingsError as error:
        return error
    return None


def _warned(variable: str, problem: str, advice: str, path: str = "") -> Finding:
    advice += how_to_set(variable)
    return warned(f"variables.{variable}", path or variable, problem, advice)


def _failed(variable: str, problem: str, advice: str, path: str = "") -> Finding:
    advice += how_to_set(variable)
    return failed(f"variables.{variable}", path or variable, problem, advice)


def _unknown_names(environ: Environment, _settings: Settings) -> Iterator[Finding]:
    for name in sorted(environ):
        if name.startswith("HEIMDALL_") and name not in OURS:
            near = difflib.get_close_matches(name, OURS, n=1)
            hint = f"is {near[0]} meant?" if near else f"unset {name}"
            yield _warned(name, f"{name} is set, but this release reads no such variable", hint)


def _variant_that_is_not_pinned(environ: Environment, _settings: Settings) -> Iterator[Finding]:
    if not (variant := environ.get("HEIMDALL_MODEL_VARIANT")):
        return
    try:
        read_model(variant=variant)
    except ManifestError as error:
        advice = "name one that is pinned, or unset it"
        yield _failed("HEIMDALL_MODEL_VARIANT", error.reason, advice, variant)


def _what_offline_contradicts(environ: Environment, settings: Settings) -> Iterator[Finding]:
    if not (offline := settings.offline):
        return
    if "HEIMDALL_OFFLINE" in environ and offline == "HF_HUB_OFFLINE":
        problem = "HEIMDALL_OFFLINE allows the network, HF_HUB_OFFLINE forbids it, and either one's no is final"
        yield _warned(offline, problem, "unset HF_HUB_OFFLINE if a model is to be fetched")
    chosen = []
    if any(not url.startswith("file:") for url in settings.mirrors):
        chosen.append("HEIMDALL_MODELS_MIRROR")
    if environ.get("HEIMDALL_SOURCES") and {*settings.sources} - {"mirror"}:
        chosen.append("HEIMDALL_SOURCES")
    if chosen:
        named = " and ".join(chosen)
        problem = f"{named} choose where to fetch from, but {offline} forbids the network"
        yield _warned(offline, problem, f"unset {offline}, or the others")
    fetch = environ.get("HEIMDALL_FETCH") and settings.fetch
    if fetch in {"import", "use"} and offline == "HEIMDALL_OFFLINE":
        problem = f"HEIMDALL_FETCH={fetch} asks for a fetch, but {offline} forbids the network"
        yield _warned("HEIMDALL_FETCH", problem, "unset one of the two")


def _sources_that_are_not_asked(environ: Environment, settings: Settings) -> Iterator[Finding]:
    sources = ",".join(settings.sources)
    if settings.mirrors and "mirror" not in settings.sources:
        problem = "HEIMDALL_MODELS_MIRROR names a mirror, but HEIMDALL_SOURCES leaves mirrors out"
        yield _warned("HEIMDALL_SOURCES", problem, "add 'mirror' to HEIMDALL_SOURCES", sources)
    if sources == "mirror" and not environ.get("HEIMDALL_MODELS_MIRROR"):
        problem = "HEIMDALL_SOURCES asks mirrors alone, but HEIMDALL_MODELS_MIRROR names none: nobody is asked"
        advice = "set HEIMDALL_MODELS_MIRROR, or add other sources"
        yield _failed("HEIMDALL_SOURCES", problem, advice, sources)
    for name in ("HEIMDALL_GITHUB_URL", "HEIMDALL_GITHUB_TOKEN"):
        if environ.get(name) and "github" not in settings.sources:
            problem = f"{name} is set, but HEIMDALL_SOURCES leaves GitHub out"
            yield _warned(name, problem, f"add 'github' to HEIMDALL_SOURCES, or unset {name}")


def _mirrors_in_folders_that_are_not_there(
    _environ: Environment, settings: Settings
) -> Iterator[Finding]:
    from heimdall.models.sources.mirror import path_of

    for url in settings.mirrors:
        if url.startswith("file:") and not path_of(url).is_dir():
            problem = f"HEIMDALL_MODELS_MIRROR names {redact_url(url)}, and there is no such folder"
            advice = "mount it, or correct the variable"
            yield _warned("HEIMDALL_MODELS_MIRROR", problem, advice, redact_url(url))


def _directories(environ: Environment, _settings: Settings) -> Iterator[Finding]:
    for name in _DIRECTORIES:
        value = environ.get(name)
        if not value or _mistake_in(name, value):
            continue
        path = Path(value).expanduser()
        if not path.is_absolute():
            problem = (
                f"{name} is a relative path: it means another place in every working directory"
            )
            yield _warned(name, problem, "write an absolute path", value)
        elif name in _MUST_BE_THERE and not path.is_dir():
            problem = f"{name} names a directory that is not there"
            yield _warned(name, problem, "correct it, or unset it", value)


def _models_apart_from_the_data(environ: Environment, _settings: Settings) -> Iterator[Finding]:
    data, models = environ.get("HEIMDALL_DATA_DIR"), environ.get("MODEL_CACHE_DIR")
    if not data or not models or any(map(_mistake_in, _DIRECTORIES[:2], (data, models))):
        return
    below, real = Path(locations.data_dir()) / "models", Path(locations.models_dir())
    if real != below:
        problem = f"HEIMDALL_DATA_DIR is {data}, but MODEL_CACHE_DIR wins for models: they are in {real}, not in {below}"
        advice = "unset MODEL_CACHE_DIR if that is not meant"
        yield _warned("MODEL_CACHE_DIR", problem, advice, models)


def _one_proxy_two_ways(environ: Environment, _settings: Settings) -> Iterator[Finding]:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        upper, lower = environ.get(name), environ.get(name.lower())
        if upper and lower and upper != lower:
            problem = f"{name} and {name.lower()} differ; the second is used"
            yield _warned(name, problem, "set both alike, or one of them", redact_url(lower))


def _a_header_for_nobody_or_in_the_clear(
    _environ: Environment, settings: Settings
) -> Iterator[Finding]:
    name = "HEIMDALL_MIRROR_HEADER"
    if not settings.mirror_header:
        return
    remote = [url for url in settings.mirrors if not url.startswith("file:")]
    if not remote:
        problem = f"{name} is set, but HEIMDALL_MODELS_MIRROR names no server that would get it"
        yield _warned(name, problem, f"set HEIMDALL_MODELS_MIRROR, or unset {name}")
    for url in remote:
        if url.startswith(("http:", "oci+http:")):
            problem = f"{name} (not shown) is sent to {redact_url(url)} without encryption"
            yield _warned(name, problem, "write the mirror with https://", redact_url(url))


def _tokens_for_nobody(environ: Environment, settings: Settings) -> Iterator[Finding]:
    host = urlsplit(settings.github_url).hostname
    ours = environ.get("HEIMDALL_GITHUB_TOKEN")
    if host != "github.com" and environ.get("GITHUB_TOKEN") and not ours:
        problem = (
            f"GITHUB_TOKEN (not shown) is sent to {host}, the host that HEIMDALL_GITHUB_URL names"
        )
        advice = f"set HEIMDALL_GITHUB_TOKEN to one for {host}"
        yield _warned("GITHUB_TOKEN", problem, advice, redact_url(settings.github_url))


RULES: tuple[Rule, ...] = (
    _unknown_names,
    _variant_that_is_not_pinned,
    _what_offline_contradicts,
    _sources_that_are_not_asked,
    _mirrors_in_folders_that_are_not_there,
    _directories,
    _models_apart_from_the_data,
    _one_proxy_two_ways,
    _a_header_for_nobody_or_in_the_clear,
    _tokens_for_nobody,
)
"""Each looks at the environment, and at what its readable part says, and yields what contradicts.
"""
