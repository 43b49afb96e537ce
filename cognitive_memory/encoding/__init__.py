"""Texts to vectors, with the model that heimdall keeps on this machine.

Names are imported when first used: numpy, onnxruntime and tokenizers are loaded by the first text, not by an import.
"""

__all__ = [
    "Block",
    "ConfigError",
    "EmbeddingConfig",
    "EmptyTextError",
    "Encoder",
    "ModelLoadError",
    "ONNXEmbeddingProvider",
    "TextError",
    "TextTypeError",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cognitive_memory.core.config import ConfigError, EmbeddingConfig
    from cognitive_memory.encoding.encoder import Encoder
    from cognitive_memory.encoding.errors import (
        EmptyTextError,
        ModelLoadError,
        TextError,
        TextTypeError,
    )
    from cognitive_memory.encoding.pipeline import Block
    from cognitive_memory.encoding.provider import ONNXEmbeddingProvider

_HOMES = {
    "Block": "encoding.pipeline",
    "ConfigError": "core.config",
    "EmbeddingConfig": "core.config",
    "EmptyTextError": "encoding.errors",
    "Encoder": "encoding.encoder",
    "ModelLoadError": "encoding.errors",
    "ONNXEmbeddingProvider": "encoding.provider",
    "TextError": "encoding.errors",
    "TextTypeError": "encoding.errors",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"cognitive_memory.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
