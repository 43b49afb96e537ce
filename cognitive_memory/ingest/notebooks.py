"""Jupyter notebooks to blocks: their Markdown cells."""

from __future__ import annotations

import json
from collections.abc import Iterable

from cognitive_memory.ingest.blocks import Block
from cognitive_memory.ingest.decoding import plain
from cognitive_memory.ingest.front_matter import FrontMatter
from cognitive_memory.ingest.markdown import read_markdown


def read_notebook(text: str) -> tuple[Iterable[Block], FrontMatter]:
    """Read a notebook.

    Returns:
        The blocks of its Markdown cells, as of one document.

    Raises:
        ValueError: it is no JSON, or has no cells.
    """
    notebook = json.loads(text)
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise ValueError("no cells")  # noqa: TRY004 (it is a value of the file's that is wrong)
    said = [
        _text(cell.get("source"))
        for cell in cells
        if isinstance(cell, dict) and cell.get("cell_type") == "markdown"
    ]
    return read_markdown("\n\n".join(said))


def _text(source: object) -> str:
    lines = source if isinstance(source, list) else [source]
    text = "".join(line for line in lines if isinstance(line, str))
    # JSON can say lone surrogates and any line end.
    return plain(text.encode(errors="replace").decode())
