"""Where the caches of other libraries land, shown with these libraries themselves."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from tests.support.hub import hub
from tests.support.places import DATA
from tests.support.safetensors_files import safetensors_bytes
from tests.support.small_model import Installation, SmallModel

pytestmark = pytest.mark.slow

INITIALISE = (
    "from heimdall.cognitive_system.data_dirs import initialize_shared_environment as go; go()\n"
)
HUB = f"{INITIALISE}from huggingface_hub import hf_hub_download; print(hf_hub_download('owner/small', 'config.json'))"
SENTENCE_TRANSFORMERS = (
    f"{INITIALISE}from sentence_transformers import SentenceTransformer\n"
    "print(SentenceTransformer('owner/small', device='cpu').encode('a b').shape)"
)
ENVIRONMENT = "import json, os; before = dict(os.environ); import {}; print(json.dumps(before == dict(os.environ)))"
TOKENIZER: dict[str, object] = {
    "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
    "pre_tokenizer": {"type": "Whitespace"}, "post_processor": None, "decoder": None,
    "model": {"type": "WordLevel", "vocab": {"a": 0, "b": 1, "[UNK]": 2}, "unk_token": "[UNK]"},
}  # fmt: skip
MODULE = {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.StaticEmbedding"}
FILES = {
    "config.json": b"{}",
    "modules.json": json.dumps([MODULE]).encode(),
    "tokenizer.json": json.dumps(TOKENIZER).encode(),
    "model.safetensors": safetensors_bytes({"embedding.weight": np.ones((3, 4), dtype=np.float32)}),
}


@pytest.fixture(autouse=True)
def mirror(small: SmallModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", small.mirror)
    monkeypatch.setenv("HEIMDALL_SOURCES", "mirror")
    monkeypatch.setenv("HEIMDALL_PROGRESS", "0")
    monkeypatch.setenv("PYTHONWARNINGS", "")  # those of other libraries are their own business


def test_huggingface_hub(installation: Installation, home: Path) -> None:
    with hub("owner/small", FILES) as url:
        done = installation.run(
            "-c", HUB, HF_ENDPOINT=url, HF_HUB_DISABLE_XET="1", PYTHONWARNINGS=""
        )
    assert done.returncode == 0, done.stderr
    cache = home / DATA / "models/huggingface_cache/hub/models--owner--small"
    assert Path(done.stdout.strip()).is_relative_to(cache)
    assert not (home / ".cache/huggingface").exists()


def test_what_the_user_has_set_wins(installation: Installation, home: Path, tmp_path: Path) -> None:
    with hub("owner/small", FILES) as url:
        variables = {"HF_ENDPOINT": url, "HF_HOME": str(tmp_path / "mine"), "PYTHONWARNINGS": ""}
        done = installation.run("-c", HUB, HF_HUB_DISABLE_XET="1", **variables)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(tmp_path / "mine")


def test_a_token_stays_where_it_was(installation: Installation, home: Path) -> None:
    (home / ".cache/huggingface").mkdir(parents=True)
    (home / ".cache/huggingface/token").write_text("hf_secret")
    done = installation.run(
        "-c",
        f"{INITIALISE}import huggingface_hub; print(huggingface_hub.get_token())",
        PYTHONWARNINGS="",
    )
    assert done.stdout == "hf_secret\n", done.stderr


@pytest.mark.skipif(
    find_spec("sentence_transformers") is None,
    reason="sentence-transformers needs torch, about 1 GB",
)
def test_sentence_transformers(installation: Installation, home: Path) -> None:
    with hub("owner/small", FILES) as url:
        done = installation.run(
            "-c", SENTENCE_TRANSFORMERS, HF_ENDPOINT=url, HF_HUB_DISABLE_XET="1", PYTHONWARNINGS=""
        )
    assert done.stdout == "(4,)\n", done.stderr
    assert (home / DATA / "models/models--owner--small").is_dir()
    assert not (home / ".cache/huggingface").exists()


@pytest.mark.parametrize(
    "module",
    ["heimdall", "heimdall.cli", "cognitive_memory.opening", "heimdall.cognitive_system.data_dirs"],
)
def test_an_import_changes_no_variable(installation: Installation, module: str) -> None:
    done = installation.run("-c", ENVIRONMENT.format(module))
    assert done.stdout == "true\n", done.stderr
