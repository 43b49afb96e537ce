"""What the build hook costs on 100 MB of models, against `sha256sum` on the same files.

Whatever Python and hatchling take anyway is left out: the hook's work is timed inside this process, as a build does it,
and whole builds with and without models stand below it.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from hatch_heimdall_models.config import HookConfig
from hatch_heimdall_models.pinning import pins_for
from tests.benchmarks.pairs import Contestant, compare, paired
from tests.benchmarks.tables import compared, show
from tests.support.manifests import manifest_of, write_models
from tests.support.small_model import ROOT, noise

MODELS = "sample/models"
CONFIG = HookConfig(MODELS, "sample/model_manifest.json", "me/sample")


def run(rounds: int = 15) -> None:
    """Print medians and ratios. Needs sha256sum."""
    files = {f"part-{number}.bin": noise(20_000_000, seed=number) for number in range(5)}
    with tempfile.TemporaryDirectory() as directory:
        top = Path(directory)
        for name, models in (("with", files), ("without", {})):
            _write_project(top / name, files, models)
        paths = [str(top / "with" / MODELS / name) for name in files]
        sums = Contestant("sha256sum", ["sha256sum", *paths])
        _hook_alone(top / "with", sums, rounds)
        builds = [
            _build(top / name, f"hatchling build, {name} models") for name in ("with", "without")
        ]
        compare("Whole builds of a wheel, 100 MB of models", [*builds, sums], rounds)


def _hook_alone(root: Path, sums: Contestant, rounds: int) -> None:
    def pins() -> float:
        began = time.perf_counter()
        pins_for(root, CONFIG, distribution="sample", version="1.0")
        return time.perf_counter() - began

    times = paired({sums.name: sums.seconds, "the hook (at most 1.3)": pins}, rounds)
    show(compared(f"The hook's work, 100 MB of models ({rounds} rounds)", times))


def _write_project(root: Path, pinned: dict[str, bytes], models: dict[str, bytes]) -> None:
    write_models(root / MODELS, models)
    (root / "sample").mkdir(parents=True, exist_ok=True)
    (root / "sample" / "__init__.py").write_text("")
    lock = manifest_of(pinned, distribution="sample", repository="me/sample")
    (root / "models.lock.json").write_text(lock.dumps())
    (root / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "sample"\nversion = "1.0"\n'
        f'[tool.hatch.build]\nexclude = ["/{MODELS}/**"]\n'
        f'[tool.hatch.build.hooks.custom]\npath = "{ROOT}/hatch_heimdall_models/in_tree.py"\n'
        f'models-dir = "{MODELS}"\nmanifest = "{CONFIG.manifest}"\nrepository = "me/sample"\n'
    )


def _build(root: Path, name: str) -> Contestant:
    script = "import os, sys; os.chdir(sys.argv[1]); from hatchling.build import build_wheel; build_wheel('dist')"
    return Contestant(name, [sys.executable, "-c", script, str(root)])


if __name__ == "__main__":
    os.chdir(ROOT)
    run()
