"""Other places of a model's files, as templates of the configuration say them."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

_PATH = "{path}"
_HUB = "https://huggingface.co"
_HUB_FORM = re.compile(
    r"hf://(?P<repository>(?:datasets/|spaces/)?[\w.-]+/[\w.-]+)@(?P<revision>[^/@{}]+)/(?P<path>.+)",
    re.ASCII,
)
_INDEX_FORM = re.compile(r"pypi:[A-Za-z0-9._-]+==[A-Za-z0-9._+!-]+#[^#]+")
FORMS = (
    "'https://<host>/…/{path}', 'hf://<owner>/<repository>@<commit>/{path}' or "
    "'pypi:<project>==<version>#<member>/{path}'"
)


def template_problem(template: str) -> str | None:
    """Why it is none of a place; None when it is one."""
    if template.count("{") != template.count(_PATH) or template.count(_PATH) > 1:
        return "may have {path} once, and no other braces"
    if any(character.isspace() or not character.isprintable() for character in template):
        return "has a space or a character that can't be seen"
    if template.startswith("hf://"):
        return None if _HUB_FORM.fullmatch(template) else f"is not of the form {FORMS}"
    if template.startswith("pypi:"):
        return None if _INDEX_FORM.fullmatch(template) else f"is not of the form {FORMS}"
    try:
        url = urlsplit(template)
    except ValueError as error:
        return f"is no URL: {error}"
    if url.scheme not in {"https", "http"} or not url.hostname:
        return f"is not of the form {FORMS}"
    if url.username or url.password:
        return "names a user or a password, which everybody could read"
    return None


def names_each_file(template: str) -> bool:
    """Whether it is another place for each file."""
    return _PATH in template


def expand(template: str, path: str) -> str:
    """The place of the file of that path.

    >>> expand("hf://owner/name@1a2b/onnx/{path}", "a b.onnx")
    'https://huggingface.co/owner/name/resolve/1a2b/onnx/a%20b.onnx'
    """
    if template.startswith("pypi:"):
        return template.replace(_PATH, path)
    if match := _HUB_FORM.fullmatch(template):
        revision = quote(match["revision"], safe="")
        template = f"{_HUB}/{match['repository']}/resolve/{revision}/{match['path']}"
    return template.replace(_PATH, quote(path))
