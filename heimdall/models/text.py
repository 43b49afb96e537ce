"""Texts for people: what a terminal can show, and numbers of bytes."""

from __future__ import annotations

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


def megabytes(count: float) -> str:
    """A number of bytes for people, in units of 10⁶ as networks and disks count.

    >>> megabytes(23_500_000), megabytes(4_200)
    ('23.5 MB', '4.2 kB')
    """
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.1f} kB"
