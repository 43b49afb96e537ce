"""The bytes of a file to text, or why not."""

from __future__ import annotations

import codecs

_SAMPLE = 8192
_TOLERATED = 0.05
"""Share of bytes that may be no UTF-8 in what is still a text: accents of an old encoding are fewer."""


def decode(content: bytes) -> tuple[str, str | None] | None:
    """Decode a file's content: UTF-8, or UTF-16 with a byte order mark.

    Text in another encoding is kept as far as it can be read: a byte that is no UTF-8 becomes
    U+FFFD, and the note says so.

    Returns:
        The text, with a line feed at its line ends and without a byte order mark, and a note on
        what is not as it should be: the end of a sentence that the file's name begins, or None.
        Nothing for what is no text: it has a NUL among its first 8 kB, as git judges it, or hardly
        is UTF-8.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return plain(content.decode("utf-16", errors="replace")), None
    # After the mark of UTF-16, in which every Latin letter has a NUL.
    if b"\0" in content[:_SAMPLE]:
        return None
    try:
        return plain(content.decode("utf-8-sig")), None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start]
    # An old encoding is not guessed: a wrong guess gives words that nobody wrote.
    text = content.decode("utf-8-sig", errors="replace")
    bad = text.count("\ufffd")
    if bad > _TOLERATED * len(content):
        return None
    return (
        plain(text),
        f"is not UTF-8 (byte 0x{byte:02X} in line {line}); {bad} unreadable places were loaded as \ufffd: convert it to UTF-8",
    )


def plain(text: str) -> str:
    """A text with a line feed at its line ends, and without NUL, at which SQLite's functions end a text."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
