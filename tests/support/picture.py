"""`python -m tests.support.picture`: the README's terminal picture, from a real run of the real commands and model."""

from __future__ import annotations

import io
import os
import re
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from tests.support.real_model import ROOT
from tests.support.terminal import on_a_terminal

PICTURE = ROOT / "docs" / "terminal.svg"
COLUMNS = 88
CELL = 12.2
"""How wide rich draws a character."""
NOTES = {
    "deployment.md": """\
# Deployment
Every merge to main is deployed within ten minutes. `deploy --to previous` brings the last version back.
Database migrations are never reversed, so they have to suit both versions.
""",
    "nightly.md": """\
# Nightly jobs
The report runs at 02:00 UTC. If it is late, look at the queue first: one stuck worker holds up all others.
""",
    "style.md": """\
# Style
Dates are written as 2026-03-31 everywhere, money as whole cents. Names in the API are in English.
""",
}
COMMANDS = (
    ("load", "notes"),
    ("store", "We chose SQLite: a laptop has no database server.", "--tag", "decision"),
    ("recall", "how is a bad deployment brought back?", "--limit", "1"),
    ("recall", "why don't we use Postgres?", "--limit", "1"),
)


def main() -> None:
    """Run the commands in a project of their own and draw what the terminal showed."""
    shown = Text()
    with tempfile.TemporaryDirectory() as directory:
        home, project = Path(directory, "home"), Path(directory, "project")
        home.mkdir()
        (project / "notes").mkdir(parents=True)
        for name, text in NOTES.items():
            (project / "notes" / name).write_text(text, encoding="utf-8")
        ours = ("HEIMDALL_", "HF_", "XDG_", "NO_COLOR")
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(ours)
        }
        environment |= {
            "HOME": str(home),
            "HEIMDALL_PROJECT": str(project),
            "HEIMDALL_PROGRESS": "0",
            "PYTHONPATH": str(ROOT),
            "COLORTERM": "truecolor",
        }
        os.chdir(project)
        _run(("models", "pull"), environment)
        for command in COMMANDS:
            words = (f'"{word}"' if " " in word else word for word in command)
            shown.append("$ ", "bold green").append(f"heimdall {' '.join(words)}\n", "bold")
            shown.append_text(Text.from_ansi(_run(command, environment))).append("\n\n")
    shown.rstrip()
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    # Below the last line rich leaves no room for what hangs from it.
    console.print(shown, end="\n\n")
    drawn = console.export_svg(title="heimdall", theme=MONOKAI, unique_id="heimdall")
    # No font is fetched from elsewhere to look at a picture.
    drawn = re.sub(r"\s*@font-face \{.*?\}", "", drawn, flags=re.DOTALL)
    drawn = re.sub(
        r'x="(?P<x>[\d.]+)"(?P<y> y="[\d.]+") textLength="(?P<length>[\d.]+)"(?P<rest>[^>]*>)(?P<blanks>(?:&#160;)+)',
        _moved,
        drawn,
    )
    PICTURE.write_text(
        "\n".join(line.rstrip() for line in drawn.splitlines()) + "\n", encoding="utf-8"
    )


def _moved(match: re.Match[str]) -> str:
    """Text that begins with blanks, begun after them: not every program that draws SVG keeps them."""
    blanks = CELL * match["blanks"].count(";")
    x, length = float(match["x"]) + blanks, float(match["length"]) - blanks
    return f'x="{x:g}"{match["y"]} textLength="{length:g}"{match["rest"]}'


def _run(command: tuple[str, ...], environment: dict[str, str]) -> str:
    code, shown = on_a_terminal(
        [sys.executable, "-m", "heimdall", *command], columns=COLUMNS, environment=environment
    )
    if code:
        sys.exit(shown)
    return shown.rstrip("\n")


if __name__ == "__main__":
    main()
