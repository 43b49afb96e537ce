"""What can go wrong with a text or with loading a model.

Each error carries its data and survives pickling.
"""

from __future__ import annotations

from dataclasses import dataclass

from heimdall.errors import HeimdallError
from heimdall.models.errors import ModelError

REINSTALL = (
    "reinstall it: 'pip install --force-reinstall onnxruntime tokenizers numpy', with a Python "
    "that there are wheels for (on an Intel Mac 3.13 at most)"
)
"""What to do about an engine that does not run."""


@dataclass(eq=False, repr=False)
class TextError(HeimdallError, ValueError):
    """A text can't be embedded.

    Attributes:
        index: the text's place among those given, from 0; None when it was given alone.
        problem: what is wrong with it and what to do.
    """

    index: int | None
    problem: str

    def __str__(self) -> str:
        return f"{'the text' if self.index is None else f'text {self.index}'} {self.problem}"


class EmptyTextError(TextError):
    """A text holds nothing that the model could read: any vector for it would mean nothing."""


class TextTypeError(TextError, TypeError):
    """Something that is not a text was given as one."""


@dataclass(eq=False, repr=False)
class ModelLoadError(ModelError):
    """The model's files are there, but can't be loaded.

    Attributes:
        directory: where the files are.
        reason: what failed and what to do.
    """

    directory: str
    reason: str

    says = "the embedding model in {directory} can't be loaded: {reason}"


@dataclass(eq=False, repr=False)
class EngineImportError(ModelError):
    """A library of the engine is not installed, or does not fit this machine.

    Attributes:
        reason: what Python said.
    """

    reason: str

    says = (
        "a part of the engine can't be imported: {reason}; until it can, memories are kept and "
        f"found by their words; {REINSTALL}"
    )
