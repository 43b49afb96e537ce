from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognitive_memory.ingest.documents import read_document
from cognitive_memory.ingest.languages import Kind
from cognitive_memory.ingest.outlines import FORMS, read_outline
from tests.cognitive_memory.ingest.texts import texts

LONG = "So many words are enough for a piece of its own. " * 6


def _pieces(source: str, text: str) -> list[tuple[str, str]]:
    document = read_document(source, text.encode())
    assert document is not None
    assert document.notes == ()
    return [(memory.context.removeprefix(source), memory.text) for memory in document.memories]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a.adoc", f"= Guide\n\n{LONG}\n\n== Install\n\n{LONG}\n\n----\n== no title\n\n----\n"),
        (
            "a.org",
            f"* Guide\n\n{LONG}\n\n** Install\n\n{LONG}\n\n#+BEGIN_SRC\n* no title\n\n#+end_src\n",
        ),
    ],
)
def test_outlines(source: str, text: str) -> None:
    pieces = _pieces(source, text)
    assert [context for context, _ in pieces] == ["", " > Guide"]
    assert "no title\n\n" in pieces[1][1]


def test_the_title_of_an_org_document() -> None:
    pieces = _pieces("a.org", f"#+TITLE: The Guide\n* One\n{LONG}\n* Two\n{LONG}\n")
    assert {context for context, _ in pieces} == {" > The Guide"}


@given(text=texts(), kind=st.sampled_from(list(FORMS)))
def test_outlines_keep_all_lines(text: str, kind: Kind) -> None:
    blocks, _ = read_outline(text, FORMS[kind])
    assert "".join(block.text for block in blocks) == text
    assert [block.line for block in blocks] == sorted(block.line for block in blocks)


def test_html_gives_what_is_seen_below_its_headings_and_comments() -> None:
    text = f"""\
<!DOCTYPE html>
<html><head><title>The
 page</title><style>p {{ color: red }}</style></head>
<body>
<h1>Guide <em>to</em> it</h1>
<p>{LONG}</p>
<h2>Install</h2>
<!-- This was written by hand, for a reason that counts. -->
<p>Caf&eacute;<br>{LONG}</p>
<pre>
  a
    b
</pre>
<script>
// This is why the page is reloaded at midnight.
reload();
</script>
"""
    pieces = _pieces("a.html", text)
    assert [context for context, _ in pieces] == [
        " > The page",
        " > The page > Guide to it",
        " > The page",
    ]
    assert pieces[0][1].startswith("Guide to it\n\nSo many")
    assert "red" not in str(pieces)
    assert pieces[1][1].startswith(
        "Install\n\nThis was written by hand, for a reason that counts.\n\nCafé"
    )
    assert pieces[1][1].endswith("  a\n    b")
    assert pieces[2][1] == "reload();\nThis is why the page is reloaded at midnight."
    document = read_document("a.html", text.encode())
    assert document is not None
    assert [memory.metadata["lines"] for memory in document.memories] == [[5, 6], [7, 12], [15, 16]]


def test_components_of_vue() -> None:
    text = f"<template>\n  <p>{LONG}</p>\n</template>\n<script lang='ts'>\n// Opens the store and locks it for us.\nopen()\n</script>\n"
    ((_, said),) = _pieces("a.vue", text)
    assert said.startswith("So many words")
    assert said.endswith("\n\nopen()\nOpens the store and locks it for us.")


def test_markdown_cells_of_notebooks() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Guide\n", "\n", LONG]},
        {"cell_type": "code", "source": "print(1)", "outputs": [{"data": "x" * 1000}]},
        {"cell_type": "markdown", "source": f"## Install\r\n{LONG}\ud800\0"},
        {"cell_type": "markdown"},
        None,
    ]
    pieces = _pieces("a.ipynb", json.dumps({"cells": cells}))
    assert [(context, said.split("\n")[0]) for context, said in pieces] == [
        ("", "# Guide"),
        (" > Guide", "## Install"),
    ]


@pytest.mark.parametrize("text", ["{}", "[" * 100_000, "no JSON", '{"cells": 1}'])
def test_what_is_no_notebook_is_read_as_text(text: str) -> None:
    document = read_document("a.ipynb", text.encode())
    assert document is not None
    assert "could not be read as notebook" in document.notes[0]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "deploy.yml",
            "proxy:\n  # Why the proxy needs this port, in some words\n  port: 80\n",
            ("proxy", "port: 80"),
        ),
        (
            "a.toml",
            '[tool]\nx = "# no"\n# Why this one is needed, in some words\ny = 1\n',
            ("[tool]", "y = 1"),
        ),
        (
            "nginx.conf",
            "# Why the proxy needs this port, in some words\nlisten 80;\n",
            ("", "listen 80;"),
        ),
        (
            "Dockerfile.dev",
            "# Builds everything that the tests need here\nRUN make\n",
            ("", "RUN make"),
        ),
        ("Gemfile", "# Needed until the next release comes out\ngem 'x'\n", ("", "gem 'x'")),
    ],
)
def test_comments_of_what_configures(name: str, text: str, said: tuple[str, str]) -> None:
    ((context, piece),) = _pieces(name, text)
    assert piece.split("\n")[0] == said[1]
    if name == "deploy.yml":
        assert context == " > proxy"


HOSTILE = {
    "a.html": "<" * 40_000,
    "b.html": "<!--" * 10_000,
    "c.html": "<a b='" * 8_000,
    "d.html": "&" * 40_000,
    "e.html": "<div>" * 10_000,
    "f.html": "<script>" * 6_000,
    "g.html": "<![" * 10_000,
    "a.adoc": "----\n" * 10_000,
    "b.adoc": "= a\n" * 10_000,
    "a.org": "#+begin_a\n" * 6_000,
    "b.org": "#+title:\n" * 6_000,
    "a.rst": "- a\n" * 3_000,
    "b.rst": ":a: b\n" * 3_000,
    "c.rst": "==  ==\na   b\n\n" * 1_000,
    "d.rst": "::\n\n> a\n" * 1_500,
    "e.rst": ".. |a| replace:: b\n" * 1_000,
}


@pytest.mark.slow
# Where the time is up, it may be so in a callback of hypothesis's; the signal comes again.
@pytest.mark.filterwarnings(
    "default:Exception ignored in. <function gc_:pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_read_all_the_same(name: str) -> None:
    document = read_document(name, HOSTILE[name].encode())
    assert document is not None
    assert all(note.endswith("it was loaded as plain text") for note in document.notes)
