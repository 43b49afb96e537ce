"""What the model was made from, for people (a model card) and for tools (an in-toto statement).

Both say only what follows from the recipe and the files, no date, version or machine: the same
model gives the same bytes, so a release that leaves the model alone has the asset of the one before
it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import Any

from hatch_heimdall_models.inventory import HashedFile
from release.recipe import Recipe

_CARD_PATH = Path(__file__).with_name("model_card.md")


def statement_bytes(recipe: Recipe, files: Sequence[HashedFile], repository: str) -> bytes:
    """An in-toto Statement v1 with SLSA provenance v1: which bytes were made from which.

    Args:
        recipe: what the model was made from.
        files: the model's files.
        repository: `owner/name` of the repository with these tools.
    """
    home = f"https://github.com/{repository}"
    statement: dict[str, Any] = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": file.path, "digest": {"sha256": file.sha256}} for file in files],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": f"{home}/tree/main/release#build-v1",
                "externalParameters": {
                    "model": recipe.name,
                    "variant": recipe.variant,
                    "upstream": {"repository": recipe.repository, "revision": recipe.revision},
                },
                "resolvedDependencies": [
                    {"name": file.name, "uri": recipe.url(file), "digest": {"sha256": file.sha256}}
                    for file in recipe.files
                ],
            },
            "runDetails": {"builder": {"id": f"{home}/tree/main/release"}},
        },
    }
    return (json.dumps(statement, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def card_bytes(recipe: Recipe, files: Sequence[HashedFile], repository: str) -> bytes:
    """The model card, Markdown: what it is, where it comes from, what was changed, digests, limits."""
    rows = [
        f"| `{file.path}` | {file.size} | `{file.sha256}` | "
        f"{'upstream, unmodified' if file.path in recipe.shipped else 'made here'} |"
        for file in files
    ]
    graph = recipe.graphs[0].path
    card = Template(_CARD_PATH.read_text(encoding="utf-8")).substitute(
        changes=Template(recipe.sets[0].changes).substitute(graph=graph),
        name=recipe.name,
        license=recipe.license,
        upstream=recipe.repository,
        revision=recipe.revision,
        graph=graph,
        repository=f"https://github.com/{repository}",
        files="\n".join(rows),
    )
    return card.encode()
