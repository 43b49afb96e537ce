"""What importing costs, seen from fresh processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.real_model import ROOT

HEAVY = {"numpy", "onnxruntime", "tokenizers", "urllib3", "heimdall.models.resolver"}


def run(code: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "HEIMDALL_FETCH": "never"}
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, capture_output=True, encoding="utf-8", timeout=900, check=True, env=environment
    )


@pytest.mark.parametrize(
    "statement",
    [
        "import cognitive_memory",
        "import cognitive_memory.encoding",
        "from cognitive_memory.core.config import EmbeddingConfig; EmbeddingConfig()",
        "from cognitive_memory.encoding import ONNXEmbeddingProvider; ONNXEmbeddingProvider()",
        "from cognitive_memory.encoding import Encoder",
    ],
)
def test_nothing_heavy_is_loaded_before_the_first_text(statement: str) -> None:
    done = run(f"{statement}\nimport sys; print(*sys.modules, sep='\\n')")
    assert not HEAVY & set(done.stdout.split())


@pytest.mark.model
def test_a_whole_run_prints_nothing(model_directory: Path) -> None:
    done = run(
        "from pathlib import Path; from cognitive_memory.encoding import Encoder\n"
        f"encoder = Encoder.load(Path({str(model_directory)!r}))\n"
        "encoder.encode('one'); encoder.encode_batch(['several', 'texts ' * 300, 'here ' * 300])"
    )
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.model
def test_a_failing_load_prints_nothing(tmp_path: Path, model_directory: Path) -> None:
    for name in ("model_config.json", "all-MiniLM-L6-v2.onnx"):
        (tmp_path / name).write_bytes((model_directory / name).read_bytes())
    (tmp_path / "tokenizer").symlink_to(model_directory / "tokenizer", target_is_directory=True)
    done = run(
        "from pathlib import Path; from cognitive_memory.encoding import Encoder, ModelLoadError\n"
        f"try: Encoder.load(Path({str(tmp_path)!r}))\n"
        "except ModelLoadError: print('refused')"
    )
    assert (done.stdout, done.stderr) == ("refused\n", "")


@pytest.mark.parametrize("chosen", [None, "1"])
def test_the_engine_reports_to_nobody(
    home: Path, monkeypatch: pytest.MonkeyPatch, chosen: str | None
) -> None:
    for name in ("ORT_DISABLE_TELEMETRY", "ORT_TELEMETRY_DISABLED"):
        monkeypatch.delenv(name, raising=False)
    # which might make onnxruntime silent by themselves
    for name in ("CI", "GITHUB_ACTIONS", "PYTEST_CURRENT_TEST"):
        monkeypatch.delenv(name, raising=False)
    if chosen is not None:
        monkeypatch.setenv("ORT_DISABLE_TELEMETRY", chosen)
    done = run(
        "import os; before = dict(os.environ)\n"
        "from cognitive_memory.encoding.session import load_onnxruntime\n"
        "load_onnxruntime(); print(load_onnxruntime().__name__, os.environ == before)"
    )
    assert done.stdout == "onnxruntime True\n"
    assert [path for path in home.rglob("*") if path.is_file()] == []


def test_every_public_name_is_there() -> None:
    import cognitive_memory.encoding as package

    assert all(getattr(package, name).__name__ == name for name in package.__all__)
    assert set(package.__all__) <= set(dir(package))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = package.nothing
