"""What the YAML at the head of a Markdown document says about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from yaml import ScalarNode

_LENGTH = 16_000
"""Characters: what is longer is data, not a document's head."""
_TAGS = 32
"""Most tags: each memory of the document has them all."""
_NULL = "tag:yaml.org,2002:null"


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What a document's head says.

    Attributes:
        title: in one line; None: it has none.
        tags: also those that it calls keywords.
    """

    title: str | None = None
    tags: tuple[str, ...] = ()


def read_front_matter(text: str) -> FrontMatter:
    """Read YAML, of which a title and tags are taken as they are written; what is no mapping, or no YAML, says nothing."""
    if not text.strip() or len(text) > _LENGTH:
        return FrontMatter()
    import yaml

    try:
        # Nodes, not values: no number, date or tag of any type is made, and no alias is followed.
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError):
        return FrontMatter()
    if not isinstance(root, yaml.MappingNode):
        return FrontMatter()
    said = {key.value: value for key, value in root.value if isinstance(key, yaml.ScalarNode)}
    title, tags = said.get("title"), said.get("tags", said.get("keywords"))
    words = " ".join(_text(title).split()) if isinstance(title, yaml.ScalarNode) else ""
    if isinstance(tags, yaml.ScalarNode):
        listed = _text(tags).split(",")
    else:
        items = tags.value if isinstance(tags, yaml.SequenceNode) else []
        listed = [_text(item) for item in items if isinstance(item, yaml.ScalarNode)]
    wanted = [tag.strip() for tag in listed if tag.strip()]
    return FrontMatter(words or None, tuple(wanted[:_TAGS]))


def _text(node: ScalarNode) -> str:
    """A value as it is written, without lone surrogates, which YAML's escapes can make; empty for null."""
    return "" if node.tag == _NULL else node.value.encode(errors="replace").decode()
