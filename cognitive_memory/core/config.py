"""How texts are embedded: which model, from where, how many at a time, on what."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from cognitive_memory.core.variants import pinned_graph
from heimdall.errors import HeimdallError
from heimdall.models import locations
from heimdall.models.package import heimdall

DEVICES = ("auto", "cpu", "cuda", "coreml", "openvino")
"""What `EmbeddingConfig.device` may be; "auto" is CUDA where the installed onnxruntime has it and it starts, else the CPU."""

LONG_TEXTS = ("cut", "pool")
"""What `EmbeddingConfig.long_texts` may be."""


class ConfigError(HeimdallError, ValueError):
    """A setting has a value that it can't have.

    Attributes:
        setting: the setting's full name.
        problem: what it is, and what it may be.
    """

    def __init__(self, setting: str, problem: str) -> None:
        super().__init__(setting, problem)
        self.setting = setting
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.setting}: {self.problem}"


def _shared_cache_dir() -> Path:
    """What `$MODEL_CACHE_DIR` says, else the shared models directory: the resolver's own reading of both."""
    return Path(locations.models_dir())


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingConfig:
    """The settings of an embedding provider, checked when made.

    Attributes:
        model_name: the model's name in the manifest.
        model_cache_dir: the directory that keeps the models. The variable `MODEL_CACHE_DIR`, read when the configuration
            is made, wins over both the argument and the default (`get_models_data_dir()`); an empty one counts as unset.
            A str is taken too.
        embedding_dimension: how many numbers a vector has; the model is checked against it when loaded.
        batch_size: how many texts at most go through the model at once; fewer do when they are long.
        variant: which form of the model, of those that the manifest has (docs/quantisation.md). None, the default, stands
            for what `HEIMDALL_MODEL_VARIANT` says when the configuration is made, else for `standard`.
        device: one of `DEVICES`; whether it is there is seen when the model is loaded.
        long_texts: what becomes of texts with more tokens than the model reads. "cut": the beginning is embedded, as
            sentence-transformers does. "pool": it is read in windows, and the vector is their mean; what is told late in a
            text is found nearly twice as often then (docs/performance.md). Shorter texts have the same vectors either way.

    Raises:
        ConfigError: naming the setting, what it is and what it may be.
    """

    model_name: str = "all-MiniLM-L6-v2"
    model_cache_dir: Path = field(default_factory=_shared_cache_dir)
    embedding_dimension: int = 384
    batch_size: int = 32
    device: str = "auto"
    variant: str | None = None
    long_texts: str = "cut"

    def __post_init__(self) -> None:
        _check_name("model_name", self.model_name)
        _check_count("embedding_dimension", self.embedding_dimension)
        _check_count("batch_size", self.batch_size)
        for setting, known in (("device", DEVICES), ("long_texts", LONG_TEXTS)):
            if (value := getattr(self, setting)) not in known:
                raise _wrong(setting, value, f"one of {', '.join(map(repr, known))}")
        if self.variant is None:
            object.__setattr__(self, "variant", heimdall().variant())
        _check_name("variant", self.variant)
        self._check_device()
        cache_dir = (
            _shared_cache_dir()
            if os.environ.get("MODEL_CACHE_DIR")
            else _as_path(self.model_cache_dir)
        )
        object.__setattr__(self, "model_cache_dir", cache_dir)

    def _check_device(self) -> None:
        # "auto" suits every variant, so the usual configuration is made without reading the manifest.
        graph = None if self.device == "auto" else pinned_graph(self.model_name, self.variant)
        if graph and graph.devices and self.device not in graph.devices:
            names = " and the ".join(device.upper() for device in graph.devices)
            raise ConfigError(
                "EmbeddingConfig.device",
                f"is {self.device!r}, but the variant {self.variant!r} is for the {names}: "
                f"use {' or '.join(map(repr, ('auto', *graph.devices)))}",
            )


def _check_name(setting: str, value: object) -> None:
    if not isinstance(value, str) or not value.strip():
        raise _wrong(setting, value, "a name")


def _check_count(setting: str, value: object) -> None:
    # bool is an int to Python and a mistake to us.
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise _wrong(setting, value, "a whole number of at least 1")


def _as_path(value: object) -> Path:
    # Path("") would silently mean the working directory.
    if isinstance(value, (str, os.PathLike)) and os.fspath(value):
        return Path(value)
    raise _wrong("model_cache_dir", value, "a directory's path")


def _wrong(name: str, value: object, expected: str) -> ConfigError:
    return ConfigError(f"EmbeddingConfig.{name}", f"expected {expected}, got {value!r}")
