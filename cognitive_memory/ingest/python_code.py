"""Python to blocks: what its docstrings and comments say."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from io import StringIO
from itertools import pairwise
from textwrap import dedent

from cognitive_memory.ingest.blocks import Block, Path
from cognitive_memory.ingest.comments import comments

_Definition = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def read_python(text: str) -> list[Block]:
    """Read a Python module.

    Args:
        text: with a line feed at its line ends.

    Returns:
        For each definition with a docstring its signature and docstring, assignments with a string that explains them,
        and the comments with the line that they are about, in the order of the file. Of a file that this Python can't
        parse, comments, and strings at the beginning of a line.
    """
    lines = list(StringIO(text))
    innermost: list[Path] = [()] * (len(lines) + 1)
    blocks: list[Block] = []
    try:
        with warnings.catch_warnings(action="ignore"):  # of the file's own doubtful escapes
            tree = ast.parse(text)
        for node, path in ((tree, ()), *_definitions(tree, ())):
            blocks += _described(node, path, lines)
            blocks += _described_values(node, path, lines)
            if not isinstance(node, ast.Module):
                last = node.end_lineno or node.lineno
                innermost[node.lineno : last + 1] = [path] * (last + 1 - node.lineno)
        language = "python"
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # not of this Python's grammar, or nested beyond its limits
        language = "cython"
    described = {
        number
        for block in blocks
        for number in range(block.line, block.line + block.text.count("\n"))
    }
    place_of = innermost.__getitem__ if language == "python" else None
    for comment in comments(text, language, place_of):
        # Comments between a signature and its docstring are in the definition's block already.
        if comment.line not in described:
            blocks.append(comment)
    return sorted(blocks, key=lambda block: block.line)


def _definitions(node: ast.AST, path: Path) -> Iterator[tuple[_Definition, Path]]:
    """The definitions in a node, outermost first; also those below an `if` or `try`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            inside = (*path, child.name)
            yield child, inside
            yield from _definitions(child, inside)
        elif isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield from _definitions(child, path)


def _described(node: _Definition, path: Path, lines: list[str]) -> Iterator[Block]:
    if ast.get_docstring(node, clean=False) is None:
        return
    docstring = node.body[0]
    first = docstring.lineno if isinstance(node, ast.Module) else node.lineno
    text = dedent("".join(lines[first - 1 : docstring.end_lineno]))
    yield Block(text, first, path[:-1], title=path[-1] if path else "module")


def _described_values(node: _Definition, path: Path, lines: list[str]) -> Iterator[Block]:
    """Assignments with a string after them that says what the value is for."""
    for value, said in pairwise(node.body):
        if isinstance(value, ast.Assign | ast.AnnAssign) and _is_text(said):
            target = value.targets[0] if isinstance(value, ast.Assign) else value.target
            text = dedent("".join(lines[value.lineno - 1 : said.end_lineno]))
            yield Block(text, value.lineno, path, title=ast.unparse(target))


def _is_text(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
