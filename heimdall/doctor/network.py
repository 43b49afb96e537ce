"""The way to the model's sources: proxy, certificate authorities, token, and whether the sources answer."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from heimdall.doctor.finding import Finding, Request, failed, not_checked, passed, warned
from heimdall.models.errors import ManifestError, SourceError
from heimdall.models.manifest import PinnedModel, read_model
from heimdall.models.secrets import redact_url
from heimdall.models.settings import Settings, SettingsError

if TYPE_CHECKING:
    from heimdall.models.sources.base import ChosenSource
    from heimdall.models.transfer.http import Client

_AUTHORITY_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_PATIENCE_SECONDS = 10.0
"""A question for one byte needs no longer; the settings may ask for less."""
_SEE_SOURCES = "see https://github.com/lcbcFoo/heimdall-mcp-server/blob/main/docs/model.md"


def check(request: Request) -> Iterator[Finding]:
    """What would be used; the sources themselves only if the request says so."""
    try:
        settings = Settings.from_environment()
        model = read_model()
    except (SettingsError, ManifestError) as error:
        yield not_checked(
            "network", "", f"without sound settings and a manifest it is not known how ({error})"
        )
        return
    yield from _proxies(model, settings)
    yield from _authorities()
    yield _token(settings)
    if request.online:
        yield from _sources(model, settings)
    else:
        yield not_checked(
            "sources", "", "nothing was asked", "'heimdall doctor --online' asks each source"
        )


def _proxies(model: PinnedModel, settings: Settings) -> Iterator[Finding]:
    from heimdall.models.transfer.proxies import VARIABLES, problem_with, proxy_for

    through: dict[str, list[str]] = {}
    for url in _urls(model, settings):
        proxy = proxy_for(url) or ""
        through.setdefault(proxy, []).append(urlsplit(url).hostname or url)
    for proxy, hosts in through.items():
        if proxy and (problem := problem_with(proxy)):
            advice = "write it as http://host:port in " + " or ".join(VARIABLES[:3])
            told = f"the proxy for {', '.join(hosts)} {problem}"
            yield failed("proxy", redact_url(proxy), told, advice)
            return
    direct = through.pop("", [])
    parts = [
        f"{', '.join(hosts)} would be asked through {redact_url(proxy)}"
        for proxy, hosts in through.items()
    ]
    parts += [f"{', '.join(direct)} would be asked directly"] if direct else []
    parts += ["the package index goes by pip's own settings"] if "index" in settings.sources else []
    yield passed("proxy", "", "; ".join(parts) or "no source is asked over the network")


def _urls(model: PinnedModel, settings: Settings) -> list[str]:
    """The URLs that the settings lead to, one a host.

    The package index has settings of pip's own.
    """
    from heimdall.models.sources.registry import registry_url

    urls = [
        registry_url(url) if url.startswith("oci") else url
        for url in (settings.mirrors if "mirror" in settings.sources else ())
    ]
    urls += [settings.github_url] if "github" in settings.sources else []
    if "huggingface" in settings.sources:
        urls += [place for file in model.files for place in file.also]
    by_host: dict[str | None, str] = {}
    for url in urls:
        if url.startswith(("https://", "http://")):
            by_host.setdefault(urlsplit(url).hostname, url)
    return list(by_host.values())


def _authorities() -> Iterator[Finding]:
    sound = []
    for variable in _AUTHORITY_VARIABLES:
        if not (value := os.environ.get(variable)):
            continue
        if problem := _authority_problem(Path(value), directory=variable == "SSL_CERT_DIR"):
            yield failed(
                f"ca.{variable}",
                value,
                f"{variable}: {problem}",
                "name a file of certificates in PEM form",
            )
        else:
            sound.append(f"{variable}={value}")
    if sound:
        yield passed("ca", ", ".join(sound), "these certificate authorities are trusted")
    elif not any(os.environ.get(variable) for variable in _AUTHORITY_VARIABLES):
        yield _system_authorities()


def _authority_problem(path: Path, *, directory: bool) -> str | None:
    if not path.exists():
        return "there is no such file or folder, and it is ignored without a word"
    if path.is_dir():
        return None if any(path.iterdir()) else "the folder is empty"
    if directory:
        return "is no folder"
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except OSError as error:  # ssl's own errors too
        return f"holds no certificates that can be read ({error.strerror or error})"
    return None


def _system_authorities() -> Finding:
    from heimdall.models.transfer.tls import complaint, has_system_store

    paths = ssl.get_default_verify_paths()
    if has_system_store():
        place = paths.cafile or paths.capath or ""
        return passed("ca", place, "the system's certificate authorities are trusted")
    if not complaint():
        told = "the system has no certificate authorities; those of a Python package are trusted"
        return passed("ca", "", told)
    advice = "install your system's ca-certificates, or set SSL_CERT_FILE to a file of certificates in PEM form"
    problem = "this Python finds no certificate authorities: every https source will fail"
    return failed("ca", "", problem, advice)


def _token(settings: Settings) -> Finding:
    if not settings.github_token:
        return passed("token", "", "none is sent, none is needed")
    variable = (
        "HEIMDALL_GITHUB_TOKEN"
        if os.environ.get("HEIMDALL_GITHUB_TOKEN", "").strip()
        else "GITHUB_TOKEN"
    )
    host = redact_url(settings.github_url)
    if host.startswith("http://"):
        problem = f"{variable} would be sent to {host} without encryption"
        return warned("token", host, problem, "write HEIMDALL_GITHUB_URL with https://")
    return passed(
        "token", host, f"{variable} (not shown) is sent there alone, never across a redirect"
    )


def _sources(model: PinnedModel, settings: Settings) -> Iterator[Finding]:
    from heimdall.models.sources.plan import chosen_sources
    from heimdall.models.transfer.http import Client

    forbidden = f"{settings.offline} is set" if settings.offline else None
    client = Client(
        min(settings.stall_seconds, _PATIENCE_SECONDS),
        min(settings.connect_seconds, _PATIENCE_SECONDS),
    )
    with closing(client):
        answers = [
            (source, (forbidden if source.remote else None) or _problem(source, model, client))
            for source in chosen_sources(model, settings)
        ]
    # One that does not answer matters if nobody else does while the model is still to be fetched.
    needed = not model.locate().here and all(problem for _, problem in answers)
    for source, problem in answers:
        key = f"sources.{source.name}"
        if problem is None:
            passes = "answers, and has what is pinned as far as sizes tell"
            yield passed(key, source.place, passes)
        elif problem is forbidden:
            yield not_checked(key, source.place, problem)
        elif needed:
            advice = f"no source can deliver the model now; {_SEE_SOURCES}"
            yield failed(key, source.place, problem, advice)
        else:
            advice = "it is not needed now: the model is here or others have it"
            yield warned(key, source.place, problem, advice)
    if not answers:
        problem = "the settings name no source that has the model"
        yield not_checked("sources", "", problem, _SEE_SOURCES)


def _problem(source: ChosenSource, model: PinnedModel, client: Client) -> str | None:
    """Why the source could not deliver the model now; None if it could."""
    try:
        source.probe(model, client)
    except SourceError as error:
        return error.reason
    return None
