from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognitive_memory.ingest.comments import comments
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
    return [block.text for block in comments(code, language)]


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
        ("a.lua", f"--[==[ {SAY} ]] ]==]"),
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
def test_a_comment_and_the_line_below_it(name: str, comment: str) -> None:
    (text,) = _texts(name, f"{comment}\nx\n\ny\n")
    assert text == f"{comment}\nx\n".removeprefix("<?php\n")


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
    assert text == f"{_mark(name)} {SAY}\n"


def _mark(name: str) -> str:
    ending = name.rpartition(".")[2]
    return {"hs": "--", "sql": "--", "sh": "#", "rb": "#", "nix": "#", "php": "#"}.get(ending, "//")


@pytest.mark.parametrize("language", LANGUAGES)
@given(parts=st.lists(st.sampled_from(MARKS), max_size=30))
def test_any_text_has_comments_that_are_lines_of_it(language: str, parts: list[str]) -> None:
    text = "".join(parts)
    lines = text.split("\n")
    for block in comments(text, language):
        first = block.text.split("\n", 1)[0].strip()
        assert first in lines[block.line - 1]


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_time_is_linear(language: str) -> None:
    """Quadratic, one of these would take hours."""
    for mark in MARKS:
        text = mark * (200_000 // len(mark)) + f"\n// {SAY}\n"
        with processor_time(15):
            assert sum(len(block.text) for block in comments(text, language)) <= 2 * len(text)
