"""How texts are embedded: which model, from where, how many at a time, on what."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from cognitive_memory.core.variants import pinned_graph
from heimdall.errors import HeimdallError
from heimdall.models import locations
from heimdall.models.package import heimdall

DEVICES = ("auto", "cpu", "cuda", "coreml", "openvino")
"""What `EmbeddingConfig.device` may be; "auto" is CUDA where the installed onnxruntime has it and
it starts, else the CPU.
"""

LONG_TEXTS = ("cut", "pool")
"""What `EmbeddingConfig.long_texts` may be."""


@dataclass(eq=False, repr=False)
class ConfigError(HeimdallError, ValueError):
    """A setting has a value that it can't have.

    Attributes:
        setting: the setting's full name.
        problem: what it is, and what it may be.
    """

    setting: str
    problem: str

    says = "{setting}: {problem}"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingConfig:
    """The settings of an embedding provider, checked when made.

    Attributes:
        model_name: the model's name in the manifest.
        model_cache_dir: the directory that keeps the models. The variable `MODEL_CACHE_DIR`, read
            when the configuration is made, wins over both the argument and the default
            (`get_models_data_dir()`); an empty one counts as unset. Any path is taken, and kept as
            a `str`.
        embedding_dimension: how many numbers a vector has; the model is checked against it when
            loaded.
        batch_size: how many texts at most go through the model at once; fewer do when they are
            long.
        variant: which form of the model, of those that the manifest has (docs/quantisation.md).
            None, the default, stands for what `HEIMDALL_MODEL_VARIANT` says when the configuration
            is made, else for `standard`.
        device: one of `DEVICES`; whether it is there is seen when the model is loaded.
        long_texts: what becomes of texts with more tokens than the model reads. "cut": the
            beginning is embedded, as sentence-transformers does. "pool": it is read in windows, and
            the vector is their mean; what is told late in a text is found nearly twice as often
            then (docs/performance.md). Shorter texts have the same vectors either way.
        exact: whether every vector is the variant's own, to 1e-6. Otherwise what the manifest holds
            to be near enough stands in where it is quicker (docs/quantisation.md); the embedding
            space is the same.

    Raises:
        ConfigError: naming the setting, what it is and what it may be.
    """

    model_name: str = "all-MiniLM-L6-v2"
    model_cache_dir: str = field(default_factory=locations.models_dir)
    embedding_dimension: int = 384
    batch_size: int = 32
    device: str = "auto"
    variant: str | None = None
    long_texts: str = "cut"
    exact: bool = True

    def __post_init__(self) -> None:
        if self.variant is None:
            object.__setattr__(self, "variant", heimdall().variant())
        if os.environ.get("MODEL_CACHE_DIR"):
            object.__setattr__(self, "model_cache_dir", locations.models_dir())
        for setting, fits, expected in _CHECKS:
            if not fits(value := getattr(self, setting)):
                problem = f"expected {expected}, got {value!r}"
                raise ConfigError(f"EmbeddingConfig.{setting}", problem)
        object.__setattr__(self, "model_cache_dir", os.fsdecode(self.model_cache_dir))
        self._check_device()

    def _check_device(self) -> None:
        # "auto" suits every variant, so the usual configuration is made without reading the
        # manifest.
        graph = None if self.device == "auto" else pinned_graph(self.model_name, self.variant)
        if graph and graph.devices and self.device not in graph.devices:
            names = " and the ".join(device.upper() for device in graph.devices)
            raise ConfigError(
                "EmbeddingConfig.device",
                f"is {self.device!r}, but the variant {self.variant!r} is for the {names}: "
                f"use {' or '.join(map(repr, ('auto', *graph.devices)))}",
            )


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_count(value: object) -> bool:
    # bool is an int to Python and a mistake to us.
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_path(value: object) -> bool:
    # Path("") would silently mean the working directory.
    return isinstance(value, str | os.PathLike) and bool(os.fspath(value))


def _one_of(values: tuple[str, ...]) -> tuple[Callable[[object], bool], str]:
    return values.__contains__, f"one of {', '.join(map(repr, values))}"


A_NAME = (_is_name, "a name")
A_COUNT = (_is_count, "a whole number of at least 1")
"""What a value has to be: a test, and words for it."""

_CHECKS = (
    ("model_name", *A_NAME),
    ("embedding_dimension", *A_COUNT),
    ("batch_size", *A_COUNT),
    ("device", *_one_of(DEVICES)),
    ("long_texts", *_one_of(LONG_TEXTS)),
    ("variant", *A_NAME),
    ("exact", lambda value: isinstance(value, bool), "True or False"),
    ("model_cache_dir", _is_path, "a directory's path"),
)
