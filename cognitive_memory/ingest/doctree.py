"""reStructuredText as docutils' tree.

Only the layout is read: no role, substitution or directive does anything, known to docutils or not. So nothing that a
document says opens a file or runs code.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docutils import nodes
    from docutils.frontend import Values
    from docutils.parsers.rst import Directive
    from docutils.parsers.rst.states import Inliner, NestedStateMachine

_VERBATIM = {
    *("code", "code-block", "sourcecode", "parsed-literal", "literalinclude", "raw", "math"),
    *("csv-table", "highlight", "prompt", "ipython", "doctest", "testcode", "testsetup"),
    *("testoutput", "productionlist", "graphviz", "digraph", "graph", "mermaid", "plantuml"),
    *("uml", "plot", "toctree", "autosummary"),
}
"""Directives whose content is no reStructuredText."""
_REMARKS = {
    *("attention", "caution", "danger", "error", "hint", "important", "note", "tip", "warning"),
    *("seealso", "todo", "versionadded", "versionchanged", "versionremoved", "deprecated"),
    *("deprecated-removed", "image", "figure", "include", "only", "container", "class", "meta"),
    *("default-role", "role", "module", "py:module", "currentmodule", "py:currentmodule"),
    *("highlight", "tabularcolumns", "index", "contents", "sectnum", "replace", "unicode"),
    "date",
}
"""Directives whose first line describes nothing that what follows is about."""

NAME_LENGTH = 200
"""Characters of what a directive describes."""

_one_at_a_time = threading.RLock()


def parsed(text: str) -> nodes.document:
    """The layout of a document.

    A directive is a `container`: `describes` is what it is about, if anything, `remark` its first line if that names nothing,
    and `verbatim` tells whether its content is no reStructuredText. What stands inside a paragraph is left as it is.
    """
    from docutils.parsers.rst import Parser
    from docutils.utils import new_document

    settings = copy(_settings())
    settings.line_length_limit = len(text)
    document = new_document("", settings)
    with _every_directive_kept():
        Parser(rfc2822=True, inliner=_inliner()).parse(text, document)
    return document


@cache
def _settings() -> Values:
    """To be copied: making them takes milliseconds."""
    from docutils.frontend import get_default_settings
    from docutils.parsers.rst import Parser

    settings = get_default_settings(Parser)
    settings.file_insertion_enabled = settings.raw_enabled = False
    settings.report_level, settings.halt_level = 5, 6  # no mistake is told, and none ends it
    return settings


@contextmanager
def _every_directive_kept() -> Iterator[None]:
    """For docutils a directive is a class that it looks up by name; no other way leads past those that it knows.

    Its parser of what is nested, each item of a list, is found in the same way.
    """
    from docutils.parsers.rst import directives
    from docutils.parsers.rst.states import RSTState

    kept = _kept_directive()
    ours: tuple[tuple[Any, str, Any], ...] = (
        (directives, "directive", lambda *_: (kept, [])),
        (RSTState, "nested_sm", _nested_machine()),
        (RSTState, "nested_sm_cache", []),  # it would hold the last document
    )
    with _one_at_a_time:
        before = [getattr(place, name) for place, name, _ in ours]
        for place, name, value in ours:
            setattr(place, name, value)
        try:
            yield
        finally:
            for (place, name, _), value in zip(ours, before, strict=True):
                setattr(place, name, value)


@cache
def _nested_machine() -> type[NestedStateMachine]:
    from docutils.parsers.rst.states import NestedStateMachine as Original

    class States(dict[str, Any]):
        """Its states by name, each made when it is asked for: all of them took a third of the time."""

        def __init__(self, machine: Original, classes: Iterable[type]) -> None:
            self._machine = machine
            self._classes = {each.__name__: each for each in classes}

        def __missing__(self, name: str) -> Any:
            state = self[name] = self._classes[name](self._machine)
            if getattr(self._machine, "memo", None) is not None:
                state.runtime_init()
            return state

    class Nested(Original):
        """As docutils' own."""

        def add_states(self, state_classes: Iterable[type]) -> None:
            self.states = States(self, state_classes)

    return Nested


@cache
def _kept_directive() -> type[Directive]:
    from docutils import nodes
    from docutils.parsers.rst import Directive

    class Kept(Directive):
        """Any directive, with what is in it."""

        has_content = True
        optional_arguments = 1
        final_argument_whitespace = True

        def run(self) -> list[nodes.Node]:
            """Leave a node that says what the directive is called and describes."""
            name, told = (
                self.name.lower(),
                " ".join(" ".join(self.arguments).split())[:NAME_LENGTH],
            )
            verbatim, remark = name in _VERBATIM, name in _REMARKS
            node = nodes.container(
                verbatim=verbatim,
                describes="" if verbatim or remark else told,
                remark=f"{name} {told}".strip() if remark else "",
            )
            node.line = self.lineno
            if not verbatim:
                self.state.nested_parse(self.content, self.content_offset, node)
            return [node]

    return Kept


@cache
def _inliner() -> Inliner:
    from docutils import nodes
    from docutils.parsers.rst.states import Inliner as Original

    class Literal(Original):
        """Leaves what stands inside a paragraph as it is."""

        def init_customizations(self, settings: Any) -> None:
            """Prepare nothing."""

        def parse(self, text: str, *_: Any) -> tuple[list[nodes.Node], list[nodes.system_message]]:
            return [nodes.Text(text)], []

        def adjust_uri(self, uri: str) -> str:
            return uri

    return Literal()
