"""The commands, each of which is imported when it is asked for."""

from pathlib import Path

_FOLDER = Path(__file__).parents[1] / "cli"

hiddenimports = [f"heimdall.cli.{path.stem}" for path in _FOLDER.glob("[!_]*.py")]
