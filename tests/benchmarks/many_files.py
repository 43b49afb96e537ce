"""A model of thousands of tiny files, as of voices or dictionaries: cold and warm, against unzip and a forced write."""

from __future__ import annotations

import json
import os
import random
import shlex
import shutil
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.pairs import Contestant, compare
from tests.support.small_model import SmallModel

_COUNT = 5_000
_OURS = """
import sys, time
from heimdall.models.package import Package
from heimdall.models.resolver import resolve_in_detail
began = time.perf_counter()
resolve_in_detail(package=Package("many", sys.argv[1]))
print(time.perf_counter() - began)
"""


def run(rounds: int = 3) -> None:
    """Print medians and ratios. Needs unzip."""
    with tempfile.TemporaryDirectory() as directory:
        top = Path(directory)
        model, manifest = _make(top)
        shared, unzipped = top / "shared", top / "unzipped"
        own = {
            name: value for name, value in os.environ.items() if name[:4] not in {"HEIM", "XDG_"}
        }
        ours = own | {
            "HOME": directory,
            "HEIMDALL_DATA_DIR": str(shared),
            "HEIMDALL_MODELS_MIRROR": model.mirror,
            "HEIMDALL_SOURCES": "mirror",
        }
        archive, target = shlex.quote(str(model.asset_path)), shlex.quote(str(unzipped))
        shell = f"sha256sum {archive} >&2 && unzip -q {archive} -d {target} && sync -f {target}"

        def clean() -> None:
            for folder in (shared, unzipped):
                shutil.rmtree(folder, ignore_errors=True)

        def make() -> None:
            cold.seconds()

        command = [sys.executable, "-c", _OURS, str(manifest)]
        cold = Contestant("heimdall (verify, publish)", command, ours, clean, reports=True)
        warm = Contestant("heimdall, warm", command, ours, make, reports=True)
        theirs = Contestant("sha256sum && unzip && sync", ["sh", "-c", shell], own, clean)
        compare(f"{_COUNT} files of 1 kB from a folder", [cold, warm, theirs], rounds)


def _make(top: Path) -> tuple[SmallModel, Path]:
    noise = random.Random(1)
    files = {f"{n % 50}/{n}.bin": noise.randbytes(1000) for n in range(_COUNT)}
    model = SmallModel(top / "mirror", files, name="many")
    document = json.loads(model.manifest.dumps())
    for file in document["models"][0]["files"]:
        file.pop("inline", None)
    manifest = top / "model_manifest.json"
    manifest.write_text(json.dumps(document), encoding="utf-8")
    return model, manifest


if __name__ == "__main__":
    run()
