"""Printing for machines."""

from __future__ import annotations

import json
from collections.abc import Mapping

import click


def as_json(document: Mapping[str, object]) -> None:
    """Print one JSON object on stdout."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))
