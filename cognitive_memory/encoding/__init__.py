"""Texts to vectors, with the model that heimdall keeps on this machine.

Names are imported when first used: numpy, onnxruntime and tokenizers are loaded by the first text,
not by an import.
"""

from heimdall.models.lazy import lazy_exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cognitive_memory.core.config import ConfigError as ConfigError
    from cognitive_memory.core.config import EmbeddingConfig as EmbeddingConfig
    from cognitive_memory.encoding.encoder import Encoder as Encoder
    from cognitive_memory.encoding.errors import EmptyTextError as EmptyTextError
    from cognitive_memory.encoding.errors import ModelLoadError as ModelLoadError
    from cognitive_memory.encoding.errors import TextError as TextError
    from cognitive_memory.encoding.errors import TextTypeError as TextTypeError
    from cognitive_memory.encoding.pipeline import Block as Block
    from cognitive_memory.encoding.provider import ONNXEmbeddingProvider as ONNXEmbeddingProvider

__all__, __dir__, __getattr__ = lazy_exports(
    __name__,
    {
        "..core.config": ("ConfigError", "EmbeddingConfig"),
        ".encoder": ("Encoder",),
        ".errors": ("EmptyTextError", "ModelLoadError", "TextError", "TextTypeError"),
        ".pipeline": ("Block",),
        ".provider": ("ONNXEmbeddingProvider",),
    },
)
