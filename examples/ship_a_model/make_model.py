"""Makes the model: for every colour of a grid, which of a few named ones is nearest."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

NAMES = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "red": (255, 0, 0),
    "green": (0, 128, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "orange": (255, 165, 0),
    "purple": (128, 0, 128),
    "brown": (139, 69, 19),
    "grey": (128, 128, 128),
}
STEP = 6
"""Between two neighbours of the grid."""


def nearest(colour: tuple[int, ...]) -> int:
    """The number of the named colour at the least squared distance."""
    distances = [
        sum((ours - theirs) ** 2 for ours, theirs in zip(colour, named, strict=True))
        for named in NAMES.values()
    ]
    return distances.index(min(distances))


def main() -> None:
    """Write both files of the model into the package."""
    folder = Path(__file__).parent / "src" / "colour_names" / "models"
    folder.mkdir(exist_ok=True)
    grid = itertools.product(range(0, 256, STEP), repeat=3)
    (folder / "table.bin").write_bytes(bytes(nearest(colour) for colour in grid))
    settings = {"names": list(NAMES), "step": STEP, "side": len(range(0, 256, STEP))}
    (folder / "settings.json").write_text(json.dumps(settings) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
