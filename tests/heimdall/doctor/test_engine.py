"""The engine on the real model: right, damaged, without its libraries, killed."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import numpy as np
import pytest

from heimdall.doctor import engine, engine_trial
from heimdall.doctor.finding import Finding, Request, Status
from tests.support.real_model import linked_copy

GOLDEN = Path(__file__).parents[2] / "cognitive_memory" / "golden"


def look() -> Finding:
    (found,) = engine.check(Request())
    return found


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The real model as an administrator's tree."""
    monkeypatch.setenv("HEIMDALL_SYSTEM_MODELS", str(tmp_path / "system"))
    return linked_copy(tmp_path / "system")


def test_the_known_vector_is_upstreams() -> None:
    texts = json.loads((GOLDEN / "texts.json").read_bytes())
    number = list(texts.values()).index(engine_trial.SENTENCE)
    committed = np.load(engine_trial.GOLDEN, allow_pickle=False)
    assert np.array_equal(committed, np.load(GOLDEN / "vectors.npy", allow_pickle=False)[number])
    assert abs(float(np.linalg.norm(committed)) - 1) < 1e-6


@pytest.mark.model
def test_the_real_model_gives_it(system: Path) -> None:
    found = look()
    assert (found.status, found.path) == (Status.PASS, str(system))
    assert "gives a known sentence its known vector" in found.message


@pytest.mark.model
def test_other_weights_give_another_vector(system: Path) -> None:
    weights = system / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[40_000_000:80_000_000] = bytes(40_000_000)
    weights.unlink()  # it is linked to the checkout's
    weights.write_bytes(content)
    found = look()
    assert found.status is Status.FAIL
    assert "another vector" in found.message
    assert "heimdall models verify --repair" in found.message


@pytest.mark.model
@pytest.mark.parametrize(("variant", "ending"), [("standard", ""), ("fast", "-fast")])
def test_a_broken_graph(
    system: Path, monkeypatch: pytest.MonkeyPatch, variant: str, ending: str
) -> None:
    monkeypatch.setenv("HEIMDALL_MODEL_VARIANT", variant)
    assert look().status is Status.PASS
    graph = system / f"all-MiniLM-L6-v2{ending}.onnx"
    size = graph.stat().st_size
    graph.unlink()
    graph.write_bytes(bytes(size))
    found = look()
    assert found.status is Status.FAIL
    assert "ModelLoadError" in found.message


@pytest.mark.model
@pytest.mark.parametrize(
    ("shadow", "words"),
    [
        ("raise ImportError('libgomp is missing')", "libgomp is missing"),
        (f"import os; os.kill(os.getpid(), {int(signal.SIGILL)})", "was ended by SIGILL"),
        ("import os; os._exit(3)", "ended with 3"),
    ],
)
def test_libraries_that_do_not_work_here(
    system: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shadow: str, words: str
) -> None:
    (tmp_path / "shadow").mkdir()
    (tmp_path / "shadow" / "onnxruntime.py").write_text(shadow)
    monkeypatch.syspath_prepend(str(tmp_path / "shadow"))
    found = look()
    assert found.status is Status.FAIL
    assert words in found.message
    assert "pip install --force-reinstall" in found.message


def test_no_model_no_trial(pinned: object) -> None:
    assert look().status is Status.NOT_CHECKED


@pytest.mark.model
def test_a_model_without_a_known_vector(system: Path) -> None:
    outcome, detail = engine_trial._try(system, "another", "standard")
    assert (outcome, "no vector of it is known" in detail) == ("unknown", True)


def test_an_unusable_manifest(manifest_path: Path) -> None:
    manifest_path.unlink()
    assert look().status is Status.NOT_CHECKED
