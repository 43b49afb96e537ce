"""Texts to vectors, with the model that heimdall keeps on this machine.

Names are imported when first used: numpy, onnxruntime and tokenizers are loaded by the first text, not by an import.
"""

__all__ = [
    "Block",
    "EmptyTextError",
    "Encoder",
    "ModelLoadError",
    "ONNXEmbeddingProvider",
    "TextError",
    "TextTypeError",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cognitive_memory.encoding.encoder import Encoder
    from cognitive_memory.encoding.errors import EmptyTextError, ModelLoadError, TextError, TextTypeError
    from cognitive_memory.encoding.pipeline import Block
    from cognitive_memory.encoding.provider import ONNXEmbeddingProvider

_HOMES = {
    "Block": "pipeline",
    "EmptyTextError": "errors",
    "Encoder": "encoder",
    "ModelLoadError": "errors",
    "ONNXEmbeddingProvider": "provider",
    "TextError": "errors",
    "TextTypeError": "errors",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
