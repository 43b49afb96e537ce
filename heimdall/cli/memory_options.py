"""Options of the commands that store, change and find memories."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from heimdall.cli.command import options

if TYPE_CHECKING:
    from cognitive_memory.core.recall import RecallFilter

TYPES = ("concept", "context", "episode")
"""The names of `MemoryType`, which is not loaded for a help text; a test holds the two together."""


def moment(ctx: click.Context, param: click.Parameter, value: str | None) -> datetime | None:
    """The callback of an option that takes a time as people say it: its first moment, in this machine's zone."""
    if value is None:
        return None
    from cognitive_memory.core.local_time import parse_span

    try:
        return parse_span(value).since.astimezone(UTC)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is no date: {error}", ctx, param) from None


def json_object(
    ctx: click.Context,
    param: click.Parameter,  # noqa: ARG001 (click's signature)
    value: str | None,
) -> dict[str, Any] | None:
    """The callback of an option that takes a JSON object."""
    if not value:
        return None
    problem = 'expected a JSON object, for example {"issue": 12}'
    try:
        parsed = json.loads(value)
        if isinstance(parsed, dict):
            return parsed
    except ValueError as error:
        problem = f"it is no JSON: {error}"
    raise click.BadParameter(problem, ctx, param_hint="--metadata")


metadata_option = click.option(
    "--metadata",
    callback=json_object,
    metavar="JSON",
    help="Whatever else belongs to it, as a JSON object.",
)

filter_options = options(
    click.option(
        "--type",
        "types",
        multiple=True,
        type=click.Choice(TYPES),
        help="Only this type; repeated: any.",
    ),
    click.option(
        "--tag",
        "tags",
        multiple=True,
        metavar="TAG",
        help="Only with this tag; repeated: any of them.",
    ),
    click.option(
        "--source",
        "sources",
        multiple=True,
        metavar="PATH",
        help="Only what comes from it or below it.",
    ),
    click.option(
        "--since", callback=moment, metavar="WHEN", help="Nothing older: 2026-03-31, 'last week'."
    ),
    click.option(
        "--until",
        callback=moment,
        metavar="WHEN",
        help="Nothing of this day or moment, and nothing later.",
    ),
)
"""Options that choose memories; their values go to `as_filter`."""

own_option = click.option(
    "--own",
    is_flag=True,
    help="They are your own: keep the origin that each names, instead of 'adopted'.",
)
"""Whether memories that are brought in are the user's own."""


def as_filter(
    *,
    types: Collection[str],
    tags: Collection[str],
    sources: Collection[str],
    since: datetime | None,
    until: datetime | None,
) -> RecallFilter:
    """What the options of `filter_options` mean."""
    from cognitive_memory.core.memory import MemoryType
    from cognitive_memory.core.recall import RecallFilter

    return RecallFilter(
        types=frozenset(map(MemoryType, types)),
        tags=frozenset(tag.strip() for tag in tags),
        sources=frozenset(sources),
        since=since,
        until=until,
    )
