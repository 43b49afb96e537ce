from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from cognitive_memory.core.config import DEVICES, ConfigError
from cognitive_memory.encoding import Encoder
from cognitive_memory.encoding.devices import CPU, check_started, choose_provider
from cognitive_memory.encoding.session import ModelSession, without_choice
from tests.support.near import assert_near

PLAIN = ["AzureExecutionProvider", "CPUExecutionProvider"]
WITH_CUDA = ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_the_processor_is_always_there(device: str) -> None:
    assert choose_provider(device, PLAIN, "1.32.0") is CPU


def test_auto_prefers_cuda_and_cpu_does_not() -> None:
    assert choose_provider("auto", WITH_CUDA, "1.32.0").name == "CUDAExecutionProvider"
    assert choose_provider("cpu", WITH_CUDA, "1.32.0") is CPU


def test_auto_leaves_alone_what_gives_other_vectors() -> None:
    assert (
        choose_provider("auto", ["CoreMLExecutionProvider", "CPUExecutionProvider"], "1.32.0")
        is CPU
    )


def test_every_device_can_be_asked_for() -> None:
    everything = [f"{name}ExecutionProvider" for name in ("CUDA", "CoreML", "OpenVINO", "CPU")]
    chosen = {choose_provider(device, everything, "1.32.0").name for device in DEVICES}
    assert chosen == set(everything)


@pytest.mark.parametrize(
    ("device", "remedy"),
    [("cuda", "onnxruntime-gpu"), ("openvino", "onnxruntime-openvino"), ("coreml", "macOS")],
)
def test_missing_one_says_what_is_there_and_what_to_install(device: str, remedy: str) -> None:
    with pytest.raises(ConfigError) as caught:
        choose_provider(device, PLAIN, "1.32.0")
    assert (
        f"EmbeddingConfig.device: is {device!r}, but the installed onnxruntime 1.32.0 has cpu alone"
        in str(caught.value)
    )
    assert remedy in str(caught.value)


def test_one_that_does_not_start_is_refused_unless_it_was_our_idea() -> None:
    cuda = choose_provider("cuda", WITH_CUDA, "1.32.0")
    with pytest.raises(ConfigError, match="did not start on this machine"):
        check_started("cuda", cuda, ["CPUExecutionProvider"])
    check_started("auto", cuda, ["CPUExecutionProvider"])
    check_started("cuda", cuda, WITH_CUDA)


@pytest.mark.model
def test_encoder_refuses_a_device_that_is_not_installed(model_directory: Path) -> None:
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has CUDA")
    with pytest.raises(ConfigError, match="onnxruntime-gpu"):
        Encoder.load(model_directory, device="cuda")


@pytest.mark.model
@pytest.mark.parametrize("folder", ["", "compact"])
def test_other_providers_get_a_graph_without_a_choice(
    model_directory: Path, tmp_path: Path, folder: str
) -> None:
    """OpenVINO fails on a choice between operators that it can't run; it isn't installed here, and onnxruntime resolves it before."""
    graph = model_directory / folder / "all-MiniLM-L6-v2.onnx"
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", str(graph.parent)
    )
    options.optimized_model_filepath = str(tmp_path / "resolved.onnx")
    session = onnxruntime.InferenceSession(
        without_choice(graph.read_bytes()), options, providers=[CPU.name]
    )
    operators = {
        node.op_type
        for node in onnx.load(tmp_path / "resolved.onnx", load_external_data=False).graph.node
    }
    assert "Softmax" in operators
    assert not operators & {"If", "MultiHeadAttention"}
    ids = np.array([[101, 7592, 2088, 102]])
    (vectors,) = session.run(
        ["embeddings"], {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    )
    assert_near(vectors, ModelSession(graph, threads=1).run(list(ids)))
