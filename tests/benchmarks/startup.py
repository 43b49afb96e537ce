"""What `import heimdall` costs once the model is there, and `heimdall --help`."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.pairs import Contestant, compare
from tests.support.small_model import ROOT, Installation, SmallModel


def run(rounds: int = 15) -> None:
    """Print medians and ratios against the bare imports that the contract names."""
    with tempfile.TemporaryDirectory() as directory:
        top = Path(directory)
        model = SmallModel(top / "release")
        installation = Installation.make(top / "site", model, patient=False)
        environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("HEIMDALL_", "XDG_"))
            },
            "PYTHONPATH": str(installation.site),
            "HOME": str(top / "home"),
            "HEIMDALL_MODELS_MIRROR": model.mirror,
            "HEIMDALL_SOURCES": "mirror",
        }

        def python(code: str) -> Contestant:
            return Contestant(f"python -c '{code}'", [sys.executable, "-c", code], environment)

        compare(
            "Warm import",
            [
                python("import heimdall"),
                python("import json, platformdirs"),
                python("import json"),
                python("pass"),
            ],
            rounds,
        )
        command = Contestant(
            "heimdall --help", [sys.executable, "-m", "heimdall", "--help"], environment
        )
        compare("Help", [command, python("import click"), python("pass")], rounds)


if __name__ == "__main__":
    os.chdir(ROOT)
    run()
