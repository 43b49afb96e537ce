"""Texts as hypothesis makes them: with the characters that mean something to Markdown, and with what nobody expects."""

from __future__ import annotations

from hypothesis import strategies as st

QUADRATIC = "> [a]: b\n[\n" * 2500
"""Markdown for which markdown-it-py's time is quadratic: 20 s for these 28 kB."""

_PARTS = [
    *(
        "# ",
        "## ",
        "### ",
        "#### ",
        "- ",
        "1. ",
        "  - ",
        "> ",
        "    ",
        "```\n",
        "~~~\n",
        "---\n",
        "===\n",
        "***\n",
        "|a|b|\n|-|-|\n",
    ),
    *(
        "\n",
        "\n\n",
        " ",
        ". ",
        "! ",
        "。",
        ": ",
        "\t",
        "\x0b",
        "\x0c",
        "\u2028",
        "\x85",
        "\x00",
        "\x01",
    ),
    *(
        "word",
        "sentence with some words. ",
        "internationalisation",
        "x" * 300,
        "日本語",
        "é",
        "\u0301",
        "[a]: http://b\n",
        "<div>\n",
        "`code`",
    ),
    *(
        "def f():\n",
        '    """Doc."""\n',
        "# a comment with many words in it\n",
        "\\",
        "title: x\n",
        ".. note:: x\n",
        ".. py:data:: X\n",
        "   deeper\n",
        ":field: x\n",
        "::\n",
        "====  ====\n",
        "+---+---+\n",
        "tags: [a, b]\n",
    ),
]


def texts() -> st.SearchStrategy[str]:
    """Texts with line feeds at their line ends and without lone surrogates."""
    parts = st.one_of(
        st.sampled_from(_PARTS),
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=20),
    )
    many = st.builds(lambda part, count: part * count, st.sampled_from(_PARTS), st.integers(1, 60))
    return st.lists(st.one_of(parts, parts, parts, many), max_size=40).map("".join)
