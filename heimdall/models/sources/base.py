"""What every source is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..manifest import PinnedFile, PinnedModel
from ..settings import Settings
from ..store import Store
from ..transfer.http import Client
from ..transfer.progress import Progress


@dataclass(frozen=True, slots=True)
class Context:
    """What sources work with: the model, where its files go, and how."""

    model: PinnedModel
    store: Store
    settings: Settings
    client: Client
    progress: Progress


class Source(Protocol):
    """A place that may have some of a model's files.

    Attributes:
        name: the kind: `local`, `mirror`, `github`, `huggingface` or `index`.
        place: where it is, without secrets, for messages.
        remote: whether it needs the network.
    """

    @property
    def name(self) -> str:
        """The kind."""

    @property
    def place(self) -> str:
        """Where it is."""

    @property
    def remote(self) -> bool:
        """Whether it needs the network."""

    def deliver(self, wanted: Sequence[PinnedFile], context: Context) -> None:
        """Take what it has of `wanted` into the store.

        Raises:
            SourceError: if it can't deliver; what arrived and was verified stays.
            OSError: if the store can't be written.
        """
