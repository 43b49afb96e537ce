from __future__ import annotations

import pytest
from docutils.parsers.rst import directives
from docutils.parsers.rst.states import NestedStateMachine, RSTState

from cognitive_memory.ingest import doctree

NESTED = """\
Title
=====

- item

  1. inner
  2. next

     term
         definition

         .. note:: hint

            :field: body

            | line
            | block

-o  option

>>> doctest

.. py:function:: name(a)

   ======  =====
   table   cell
   ======  =====
   a       b
   ======  =====

.. [1] footnote
"""


def test_the_tree_is_as_docutils_own_parser_of_what_is_nested_makes_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours = doctree.parsed(NESTED).pformat()
    monkeypatch.setattr(doctree, "_nested_machine", lambda: NestedStateMachine)
    assert ours == doctree.parsed(NESTED).pformat()


def test_states_that_nobody_asks_for_are_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    init = RSTState.__init__

    def counted(self: RSTState, *arguments: object, **named: object) -> None:
        made.append(type(self))
        init(self, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(RSTState, "__init__", counted)
    doctree.parsed("* item\n\n" * 20)
    once = len(made)
    made.clear()
    doctree.parsed("* item\n\n.. note:: a\n\n" * 20)
    assert len(made) - once < 20 * 8, "two lists of a kind each, with a state or two"


def test_docutils_is_left_as_it_was() -> None:
    known = (directives.directive, RSTState.nested_sm, RSTState.nested_sm_cache)
    doctree.parsed(NESTED)
    assert (directives.directive, RSTState.nested_sm, RSTState.nested_sm_cache) == known
    assert RSTState.nested_sm_cache is known[2]
