"""What a commit's memory says: its message, then a paragraph with the files that it changed, one a line."""

from __future__ import annotations

import re

_FILE = re.compile(r"(?:added|changed|copied|removed|renamed) \S.*|and \d+ more files")


def message_of(text: str) -> str:
    r"""The message, without the files.

    >>> message_of("Retry thrice\n\nThe proxy is slow.\n\nchanged proxy.py (+3 -1)\nand 2 more files")
    'Retry thrice\n\nThe proxy is slow.'
    >>> message_of("Retry thrice")
    'Retry thrice'
    """
    message, _, files = text.rpartition("\n\n")
    return message if message and all(map(_FILE.fullmatch, files.split("\n"))) else text
