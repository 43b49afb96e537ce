"""The module that opencode and Kilo Code load, for a program that is somewhere and for one of the two."""

from __future__ import annotations

import json
from importlib import resources

FIRST_WORDS = "// heimdall:"


def plugin_module(client: str, program: str) -> str:
    """The module's text.

    Args:
        client: "opencode" or "kilo".
        program: where our program is.
    """
    text = resources.files(__package__).joinpath("opencode.js").read_text("utf-8")
    text = text.replace('const PROGRAM = "heimdall"', f"const PROGRAM = {json.dumps(program)}", 1)
    return text.replace('const CLIENT = "opencode"', f"const CLIENT = {json.dumps(client)}", 1)


def is_ours(text: str) -> bool:
    """Whether a file holds such a module."""
    return text.startswith(FIRST_WORDS)
