"""What a comment says, without the marks that make it one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from textwrap import dedent

from cognitive_memory.ingest.languages import comment_marks

_END = re.compile(r"(?:\*+/|\*+\)|-\}|#>|=#|\]=*+\]|\"{3}|'{3}|^=end\b.*)\Z", re.MULTILINE)
_STAR = re.compile(r"[ \t]*\*+ ?")
_FENCE = re.compile(r"[ \t]*(?:```|~~~)[ \t]*([^`\n]*)")
_RUST = frozenset(["rust", "ignore", "should_panic", "no_run", "compile_fail"])
"""What may follow the marks of a fence with Rust in it."""
_HIDDEN = re.compile(r"[ \t]*#(?:[ \t]|\Z)")


def said_in(comment: str, language: str) -> list[str]:
    r"""The lines of a comment without marks and common indentation, as many as it has.

    >>> said_in("/** Opens it.\n  *  And locks it.\n  */", "java")
    ['Opens it.', ' And locks it.', '']
    """
    marks = comment_marks(language)
    block = marks.block.match(comment) if marks.block else None
    if block is None:
        line = marks.line.match(comment) if marks.line else None
        return [comment[line.end() :].removeprefix(" ") if line else comment]
    end = _END.search(comment, block.end())
    first, *others = comment[block.end() : end.start() if end else None].split("\n")
    written = [line for line in others if line.strip()]
    if written and all(line.lstrip().startswith("*") for line in written):
        others = [_STAR.sub("", line, count=1) for line in others]
    else:
        others = dedent("\n".join(others)).split("\n") if others else []
    return [each.rstrip() for each in (first.strip(), *others)]


def without_hidden_lines(lines: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    """Numbered lines of Rust's documentation as its readers see them: without those of examples that are only compiled."""
    seen: list[tuple[int, str]] = []
    is_code = is_rust = False
    for number, line in lines:
        if fence := _FENCE.match(line):
            is_code = not is_code
            words = re.findall(r"[\w]+", fence[1])
            is_rust = is_code and (not words or words[0] in _RUST or words[0].startswith("edition"))
        elif is_rust and _HIDDEN.match(line):
            continue
        seen.append((number, line))
    return seen
