"""On what the model runs: a device's name to the execution provider of onnxruntime that stands for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cognitive_memory.core.config import ConfigError


class Provider(NamedTuple):
    """An execution provider.

    Attributes:
        name: as onnxruntime calls it.
        remedy: how to get it.
        options: what it is started with.
    """

    name: str
    remedy: str
    options: dict[str, str]


CPU = Provider("CPUExecutionProvider", "install onnxruntime", {})
_PROVIDERS = {
    "cpu": CPU,
    "cuda": Provider(
        "CUDAExecutionProvider",
        "on Linux or Windows with an NVIDIA GPU: pip uninstall onnxruntime && pip install onnxruntime-gpu",
        # which would round the weights to 10 bits, and give other vectors than a CPU does
        {"use_tf32": "0"},
    ),
    "coreml": Provider("CoreMLExecutionProvider", "it is part of onnxruntime for macOS alone", {}),
    "openvino": Provider(
        "OpenVINOExecutionProvider",
        "on Intel hardware: pip uninstall onnxruntime && pip install onnxruntime-openvino",
        {"device_type": "CPU", "precision": "FP32"},
    ),
}
_AUTOMATIC = ("cuda",)
"""What "auto" prefers to the processor: what gives the same vectors faster. CoreML and OpenVINO
have to be asked for.
"""


def choose_provider(device: str, installed: Sequence[str], version: str) -> Provider:
    """The provider for `EmbeddingConfig.device`.

    Args:
        device: one of `core.config.DEVICES`.
        installed: what `onnxruntime.get_available_providers()` says.
        version: onnxruntime's, for the message.

    Raises:
        ConfigError: the installed onnxruntime does not have it; says what it has and what to
            install.
    """
    if device == "auto":
        return next(
            (_PROVIDERS[name] for name in _AUTOMATIC if _PROVIDERS[name].name in installed), CPU
        )
    provider = _PROVIDERS[device]
    if provider.name not in installed:
        # In the words of the setting, which is what the user can change.
        has = ", ".join(name for name, known in _PROVIDERS.items() if known.name in installed)
        raise ConfigError(
            "EmbeddingConfig.device",
            f"is {device!r}, but the installed onnxruntime {version} has {has} alone; {provider.remedy}; "
            "or use device='auto'",
        )
    return provider


def check_started(device: str, provider: Provider, running: Sequence[str]) -> None:
    """Refuse what onnxruntime does when a device does not start: go on with the processor in silence.

    Args:
        running: what the session's `get_providers()` says.

    Raises:
        ConfigError: the device was asked for by name and does not run. "auto" takes what runs.
    """
    if device != "auto" and provider.name not in running:
        raise ConfigError(
            "EmbeddingConfig.device",
            f"is {device!r}, and onnxruntime has {provider.name}, but it did not start on this machine (is the device "
            "there, with its driver and libraries?); or use device='auto'",
        )
