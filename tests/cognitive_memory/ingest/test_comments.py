from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognitive_memory.ingest.comments import comments
from cognitive_memory.ingest.documents import read_document
from cognitive_memory.ingest.languages import _TABLES, language_of
from cognitive_memory.ingest.processor_time import processor_time

LANGUAGES = sorted(_TABLES["code"])
SAY = "opens the store and locks it"
"""What a comment needs to be kept."""
MARKS = [
    *"""()[]{}<>"'`/\\#*-=!%;:.,|&$@?~^_+ \n""",
    *("//", "/*", "*/", "--[[", "]]", "{-", "(*", "#=", "<#", '"""', "'''", "<<A\n", '@"', "\\'"),
    *("`${", "?>", "<?php", "'a'", "=pod\n", 'R"(', 'r#"', f"// {SAY}\n", f"/* {SAY} */"),
]


def _texts(name: str, code: str) -> list[str]:
    language = language_of(name)
    assert language is not None
    return [block.text.rstrip() for block in comments(code, language)]


@pytest.mark.parametrize(
    ("name", "comment"),
    [
        ("a.c", f"// {SAY}"),
        ("a.h", f"/* {SAY} */"),
        ("a.clj", f";; {SAY}"),
        ("a.ex", f'@doc """\n{SAY}\n"""'),
        ("a.erl", f"%% {SAY}"),
        ("a.f90", f"! {SAY}"),
        ("a.fs", f"(* {SAY} *)"),
        ("a.graphql", f'"""\n{SAY}\n"""'),
        ("a.hs", f"-- | {SAY}"),
        ("a.hs", f"{{- {SAY} -}}"),
        ("a.jl", f"#= {SAY} =#"),
        ("a.lua", f"--[==[ {SAY} ]==]"),
        ("Makefile", f"# {SAY}"),
        ("a.ml", f"(** {SAY} *)"),
        ("a.pl", f"=head1 NAME\n\n{SAY}\n\n=cut"),
        ("a.php", f"<?php\n# {SAY}"),
        ("a.ps1", f"<#\n{SAY}\n#>"),
        ("a.rb", f"=begin\n{SAY}\n=end"),
        ("a.sh", f"# {SAY}"),
        ("a.sql", f"-- {SAY}"),
        ("a.tf", f"// {SAY}"),
        ("Dockerfile", f"# {SAY}"),
    ],
)
def test_the_line_below_a_comment_and_what_it_says_without_marks(name: str, comment: str) -> None:
    (text,) = _texts(name, f"{comment}\nx\n\ny\n")
    said = "=head1 NAME\n\n" + SAY + "\n\n=cut" if name == "a.pl" else SAY
    assert text == f"x\n{said}"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("a.c", f'x = "// {SAY}";'),
        ("a.c", f'x = \'"\'; y = "// {SAY}";'),
        ("a.cpp", f'x = R"a(\n// {SAY}\n)" )a";'),
        ("a.cs", f'x = @"\\"; y = @"\n// {SAY}\n";'),
        ("a.go", f"x := `\n// {SAY}\n`"),
        ("a.js", f"x = /[/\"]/; y = '// {SAY}'"),
        ("a.js", f"x = `${{f(`'`)}} // {SAY}`"),
        ("a.ts", f"see https://example.org/{SAY}"),
        ("a.kt", f'x = """\n// {SAY}\n"""'),
        ("a.groovy", f"x = '**/*.java' + '// {SAY}'"),
        ("a.rs", f'fn f<\'a>(x: &\'a str) {{ r#"" // {SAY}"# }}'),
        ("a.hs", f'x\' = "-- {SAY}"'),
        ("a.php", f"<p># {SAY}</p><?php $x = 1; ?> # {SAY}"),
        ("a.php", f"<?php #[Attribute({SAY})]\n"),
        ("a.sh", f"x=${{y#{SAY}}}; echo a#{SAY}"),
        ("a.sh", f"cat <<EOF\n# {SAY}\nEOF\n"),
        ("a.rb", f'x = "#{{ {SAY} }} # {SAY}"'),
        ("a.nix", f"x = ''\n  # {SAY}\n'';"),
        ("a.sql", f"x = 'it''s -- {SAY}'"),
        ("a.zig", f"\\\\ // {SAY}"),
        ("run.sh", f"#!/bin/sh {SAY}"),
    ],
)
def test_what_only_looks_like_a_comment_is_none(name: str, code: str) -> None:
    assert _texts(name, code) == []
    # and does not hide the one behind it
    (text,) = _texts(name, f"{code}\n\n{'<?php ' * name.endswith('.php')}\n{_mark(name)} {SAY}\n")
    assert text == SAY


def _mark(name: str) -> str:
    ending = name.rpartition(".")[2]
    return {"hs": "--", "sql": "--", "sh": "#", "rb": "#", "nix": "#", "php": "#"}.get(ending, "//")


@pytest.mark.parametrize("language", LANGUAGES)
@given(parts=st.lists(st.sampled_from(MARKS), max_size=30))
def test_any_text_has_comments_whose_words_are_its_own(language: str, parts: list[str]) -> None:
    text = "".join(parts)
    words = set(re.findall(r"\w+", text))
    for block in comments(text, language):
        assert 1 <= block.line <= text.count("\n") + 1
        assert set(re.findall(r"\w+", block.text)) <= words


LONG = "So many words are enough for a piece of its own. " * 6


@pytest.mark.parametrize(
    ("name", "code", "item"),
    [
        (
            "a.rs",
            "/// {}\n#[inline]\npub fn open(\n    path: &str,\n) -> Store {{\n",
            "pub fn open( path: &str, ) -> Store",
        ),
        (
            "a.rs",
            "/** {} */\n#[cfg(test)]\n#[derive(Debug)]\npub enum Kind {{\n    A,\n}}\n",
            "pub enum Kind",
        ),
        ("a.ts", "/**\n * {}\n */\n@Injectable()\nexport class Store {{\n", "export class Store"),
        ("a.java", "/**\n * {}\n */\n@Override\npublic void open() {{\n", "public void open()"),
        ("a.go", "// {}\nfunc (s *Store) Open() error {{\n", "func (s *Store) Open() error"),
        (
            "a.h",
            "/*! {} */\ntemplate <typename T>\nT* open(int a,\n        int b);\n",
            "T* open(int a, int b)",
        ),
        ("a.h", "/// {}\n#ifdef A\nvoid close();\n", "void close()"),
        ("a.rb", "# {}\ndef open(path)\n", "def open(path)"),
        ("a.hs", "-- | {}\nopen :: Path -> IO Store\n", "open :: Path -> IO Store"),
        ("a.ex", '@doc """\n{}\n"""\ndef open(path) do\n', "def open(path) do"),
        ("a.pyx", 'cdef open(path):\n    """{}"""\n', "cdef open(path)"),
        ("a.lua", "--- {}\nfunction open(path)\n", "function open(path)"),
    ],
)
def test_each_piece_of_documentation_names_its_item_and_has_no_marks(
    name: str, code: str, item: str
) -> None:
    for said in (LONG, LONG * 9):
        document = read_document(name, code.format(said).encode())
        assert document is not None
        assert len(document.memories) == 1 + 2 * (said != LONG)
        for number, memory in enumerate(document.memories):
            told = " ".join(memory.text.split()) if number == 0 else memory.context
            assert item.split("(", maxsplit=1)[0] in told
            assert "So many words" in memory.text
            assert not re.search(r"//|\*/|/\*|--|#|\"\"\"", memory.text)
        assert all(
            memory.context == f"{name} > {item}"[: len(name) + 83]
            for memory in document.memories[1:]
        )


def test_documentation_is_markdown_with_whole_fences_and_no_hidden_lines() -> None:
    code = "\n".join(
        [
            "impl<S> Router<S>",
            "where",
            "    S: Clone,",
            "{",
            *(f"    /// {LONG}\n    ///" for _ in range(4)),
            "    /// # Example",
            "    ///",
            "    /// ```",
            "    /// # use axum::Router;",
            "    /// #[derive(Debug)]",
            "    /// struct A;",
            "    ///",
            "    /// #",
            "    /// # async {",
            "    /// let a = A;",
            "    /// ```",
            "    ///",
            "    /// ```toml",
            "    /// # kept",
            "    /// ```",
            "    pub fn route(self) -> Self {",
        ]
    )
    document = read_document("src/mod.rs", code.encode())
    assert document is not None
    assert [memory.context for memory in document.memories] == [
        "src/mod.rs > impl<S> Router<S>",
        "src/mod.rs > impl<S> Router<S> > pub fn route(self) -> Self",
    ]
    assert document.memories[0].text.startswith("pub fn route(self) -> Self\nSo many")
    assert document.memories[1].text.endswith(
        "# Example\n\n```\n#[derive(Debug)]\nstruct A;\n\nlet a = A;\n```\n\n```toml\n# kept\n```"
    )


def test_a_comment_is_below_what_its_code_is_in() -> None:
    code = f"class Store {{\n  open() {{\n    if (x) {{\n      // {SAY}\n      y();\n    }}\n  }}\n}}\n// {SAY}\n"
    blocks = list(comments(code, "javascript"))
    assert [(block.path, block.text.split("\n")[0]) for block in blocks] == [
        (("class Store", "open()"), "y();"),
        ((), SAY),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_time_is_linear(language: str) -> None:
    """Quadratic, one of these would take many minutes."""
    for mark in MARKS:
        text = mark * (50_000 // len(mark)) + f"\n// {SAY}\n"
        with processor_time(15):
            assert sum(len(block.text) for block in comments(text, language)) <= 2 * len(text)
