"""What a package that ships its model costs its users: installed size, import, cold and warm `ensure`.

Against pooch, huggingface_hub, spaCy and a model in the wheel. Each has a virtual environment of its own, made once from
the package index in `.cache/bench`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.fetch import hub_of
from tests.benchmarks.pairs import Contestant, compare
from tests.benchmarks.peers import CACHE
from tests.benchmarks.tables import Table, show
from tests.support.checkout import ROOT
from tests.support.servers import plain_mirror
from tests.support.small_model import SmallModel, noise
from tests.support.vendored_package import VendoredPackage

MODEL_BYTES = 50_000_000
FILE = "model.bin"
OURS, VENDORED, IN_WHEEL = "heimdall-models", "the vendored file", "importlib.resources"
HUB = "huggingface_hub (nothing verified)"
REQUIREMENTS = {
    OURS: ["--reinstall-package", OURS, str(ROOT / "heimdall" / "models")],
    VENDORED: [],
    IN_WHEEL: [],
    "pooch": ["pooch"],
    HUB: ["huggingface_hub"],
    "spaCy": ["spacy"],
}
IMPORTS = {
    OURS: "from heimdall_models import ensure",
    VENDORED: "from app._models import ensure",
    IN_WHEEL: "from importlib.resources import files",
    "pooch": "import pooch",
    HUB: "from huggingface_hub import hf_hub_download",
}
"""What a package that uses it imports; the first is what the others are compared with."""
CALLS = {
    OURS: "ensure('app')",
    VENDORED: "ensure()",
    IN_WHEEL: "str(files('app') / 'models')",
    "pooch": "pooch.retrieve(os.environ['URL'], 'sha256:' + os.environ['SHA256'], path=os.environ['POOCH'])",
    HUB: f"hf_hub_download('owner/model', '{FILE}')",
}


def run(rounds: int = 5) -> None:
    """Print sizes, medians and ratios."""
    environments = {name: _environment(name, what) for name, what in REQUIREMENTS.items()}
    sizes = [(name, *_installed(python)) for name, python in environments.items()]
    show(Table("Installed, without pip and the package itself", ("", "packages", "MB"), sizes))
    with tempfile.TemporaryDirectory() as directory:
        top = Path(directory)
        model = SmallModel(top / "release", {FILE: noise(MODEL_BYTES // 50) * 50})
        (top / "release" / FILE).write_bytes(model.files[FILE])
        sha256 = hashlib.sha256(model.files[FILE]).hexdigest()
        package = VendoredPackage.make(top / "tree", model)
        with plain_mirror(top / "release") as mirror, hub_of(top / "release", sha256) as hub:
            variables = {
                **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
                "HOME": str(top / "home"),
                "PYTHONPATH": str(package.root / "src"),
                "HEIMDALL_MODELS_MIRROR": mirror.url,
                "HEIMDALL_PROGRESS": "0",
                "HF_ENDPOINT": hub,
                "HF_HUB_DISABLE_XET": "1",
                "HF_HUB_DISABLE_PROGRESS_BARS": "1",
                "URL": f"{mirror.url}/{FILE}",
                "SHA256": sha256,
                "POOCH": str(top / "home" / "pooch"),
            }
            (top / "tree" / "src" / "app" / "__init__.py").write_text("")

            def contestants(code: dict[str, str], *, clean: bool) -> list[Contestant]:
                def prepare() -> None:
                    if clean:
                        shutil.rmtree(top / "home", ignore_errors=True)

                return [
                    Contestant(name, [str(environments[name]), "-c", program], variables, prepare)
                    for name, program in code.items()
                ]

            compare("Import, whole processes", contestants(IMPORTS, clean=False), 2 * rounds)
            whole = {name: f"import os; {IMPORTS[name]}; {call}" for name, call in CALLS.items()}
            title = f"of {MODEL_BYTES // 10**6} MB over loopback, whole processes"
            fetched = {name: program for name, program in whole.items() if name != IN_WHEEL}
            compare(f"Cold ensure {title}", contestants(fetched, clean=True), rounds)
            compare(f"Warm ensure {title}", contestants(whole, clean=False), 2 * rounds)


def _environment(name: str, requirements: list[str]) -> Path:
    """The Python of a virtual environment with these installed."""
    folder = CACHE / "shipping" / name
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    if requirements:
        install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", str(python)]
        subprocess.run([*install, *requirements], check=True)
    return python


def _installed(python: Path) -> tuple[str, float]:
    """Distributions, and megabytes of their files."""
    (site,) = python.parent.parent.glob("lib/python*/site-packages")
    files = [path for path in site.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    size = sum(path.stat().st_size for path in files) / 1e6
    return str(len(list(site.glob("*.dist-info")))), size


if __name__ == "__main__":
    os.chdir(ROOT)
    run()
