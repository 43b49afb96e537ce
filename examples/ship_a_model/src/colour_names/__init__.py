"""Says what a colour is called, by a model that is not in the wheel."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from heimdall_models import ensure


def name_of(red: int, green: int, blue: int) -> str:
    """The name of a colour, each part from 0 to 255.

    Raises:
        heimdall_models.ModelUnavailable: the model is not on this machine and can't be fetched.
    """
    settings, table = _model()
    side, step = settings["side"], settings["step"]
    row, column, cell = (part // step for part in (red, green, blue))
    name: str = settings["names"][table[(row * side + column) * side + cell]]
    return name


@cache
def _model() -> tuple[dict[str, Any], bytes]:
    # Here and not at import: the first call fetches the model and verifies it, later ones find it.
    directory = ensure("colour_names")
    settings = json.loads((directory / "settings.json").read_text(encoding="utf-8"))
    return settings, (directory / "table.bin").read_bytes()
