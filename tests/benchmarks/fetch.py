"""Cold fetch of the real asset from a plain server on loopback, against curl, sha256sum and unzip."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
from pathlib import Path

from hatch_heimdall_models.lock import read_manifest
from tests.benchmarks.pairs import Contestant, compare
from tests.support.nginx import nginx_mirror
from tests.support.small_model import ROOT


def run(rounds: int = 7) -> None:
    """Print medians and ratios. Needs `make release-assets`, nginx, curl and unzip."""
    lock = read_manifest(ROOT / "models.lock.json")
    asset = lock.models[0].asset
    with tempfile.TemporaryDirectory() as directory, nginx_mirror(ROOT / "dist" / "models") as mirror:
        top = Path(directory)
        shared = top / "shared"
        url = f"{mirror.url}/{asset.tag}/{asset.name}"
        shell = (
            f"curl -sS -o {top}/a.zip {shlex.quote(url)} && echo '{asset.sha256}  {top}/a.zip' | sha256sum -c - && "
            f"unzip -q -o {top}/a.zip -d {top}/unzipped && rm {top}/a.zip"
        )
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("HEIMDALL_", "XDG_"))},
            "HOME": str(top),
            "HEIMDALL_DATA_DIR": str(shared),
            "HEIMDALL_MODELS_MIRROR": mirror.url,
            "HEIMDALL_SOURCES": "mirror",
        }

        def clean() -> None:
            shutil.rmtree(shared, ignore_errors=True)
            shutil.rmtree(top / "unzipped", ignore_errors=True)

        pull = [sys.executable, "-c", "import heimdall"]
        compare(
            f"Cold fetch of {asset.size / 1e6:.0f} MB over loopback",
            [
                Contestant("import heimdall (start, download, verify, publish)", pull, environment, clean),
                Contestant("curl && sha256sum && unzip", ["sh", "-c", shell], None, clean),
            ],
            rounds,
        )


if __name__ == "__main__":
    os.chdir(ROOT)
    run()
