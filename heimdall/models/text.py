"""Texts for people: what a terminal can show, how much of it, and numbers."""

from __future__ import annotations

_ESCAPES = {
    code: f"\\u{code:04x}"
    for codes in (
        (0x7F, 0xA0),
        (0x61C, 0x61D),
        (0x200E, 0x2010),
        (0x2028, 0x202F),
        (0x2066, 0x206A),
    )
    for code in range(*codes)
}
"""DEL, C1 controls, marks that change the direction of text, and further line breaks, as JSON escapes them."""
_JOINERS = "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"


def printable(text: str) -> str:
    """One line of text without what would move a cursor, ring a bell or change a colour; a tab becomes a blank.

    What stands for a byte of a path that is no text (a surrogate) is kept, so that the path can be used.

    >>> printable(chr(27) + "[31mred" + chr(9) + "tape")
    '�[31mred tape'
    """
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable() or character in _JOINERS or "\udc80" <= character <= "\udcff"
        else " "
        if character.isspace()
        else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )


def printable_lines(text: str) -> str:
    r"""The lines of a message, each `printable`; all but the first are indented, so that none passes for another message.

    >>> printable_lines("no such file: a" + chr(13) + "heimdall: done")
    'no such file: a\n  heimdall: done'
    """
    return "\n  ".join(map(printable, text.splitlines()))


def printable_json(text: str) -> str:
    r"""The same JSON, with escapes for what a terminal would act upon or a reader take for the end of a line.

    >>> print(printable_json(f'["{chr(0x9b)}2J"]'))
    ["\u009b2J"]
    """
    return text if text.isascii() and "\x7f" not in text else text.translate(_ESCAPES)


def shortened(text: str, length: int) -> str:
    """A text of so many characters at most, with a sign if that is not all of it."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def megabytes(count: float) -> str:
    """A number of bytes for people, in units of 10⁶ as networks and disks count.

    >>> megabytes(23_500_000), megabytes(4_200)
    ('23.5 MB', '4.2 kB')
    """
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.1f} kB"


def files(count: int) -> str:
    """A number of files for people.

    >>> files(1), files(2)
    ('1 file', '2 files')
    """
    return f"{count:,} file{'' if count == 1 else 's'}"
