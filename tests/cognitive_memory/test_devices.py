from __future__ import annotations

from pathlib import Path

import onnxruntime
import pytest

from cognitive_memory.core.config import DEVICES, ConfigError
from cognitive_memory.encoding import Encoder
from cognitive_memory.encoding.devices import CPU, check_started, choose_provider

PLAIN = ["AzureExecutionProvider", "CPUExecutionProvider"]
WITH_CUDA = ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_the_processor_is_always_there(device: str) -> None:
    assert choose_provider(device, PLAIN, "1.32.0") is CPU


def test_auto_prefers_cuda_and_cpu_does_not() -> None:
    assert choose_provider("auto", WITH_CUDA, "1.32.0").name == "CUDAExecutionProvider"
    assert choose_provider("cpu", WITH_CUDA, "1.32.0") is CPU


def test_auto_leaves_alone_what_gives_other_vectors() -> None:
    assert choose_provider("auto", ["CoreMLExecutionProvider", "CPUExecutionProvider"], "1.32.0") is CPU


def test_every_device_can_be_asked_for() -> None:
    everything = [f"{name}ExecutionProvider" for name in ("CUDA", "CoreML", "OpenVINO", "CPU")]
    chosen = {choose_provider(device, everything, "1.32.0").name for device in DEVICES}
    assert chosen == set(everything)


@pytest.mark.parametrize(
    ("device", "remedy"), [("cuda", "onnxruntime-gpu"), ("openvino", "onnxruntime-openvino"), ("coreml", "macOS")]
)
def test_missing_one_says_what_is_there_and_what_to_install(device: str, remedy: str) -> None:
    with pytest.raises(ConfigError) as caught:
        choose_provider(device, PLAIN, "1.32.0")
    assert f"EmbeddingConfig.device: is {device!r}, but the installed onnxruntime 1.32.0 has cpu alone" in str(
        caught.value
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
