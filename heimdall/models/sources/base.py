"""What every source is, and what it delivers with."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ..errors import SourceError
from ..manifest import PinnedFile, PinnedModel
from ..pinned_set import PinnedSet
from ..space import NoSpaceError, is_full, require_space
from ..transfer.download import Download, Opener
from ..transfer.http import Client
from ..transfer.partials import PartialFile, claim
from ..transfer.progress import Progress

_Piece = TypeVar("_Piece")


@dataclass(frozen=True, slots=True)
class Context:
    """What sources work with: the model and where its files go, and how."""

    pinned: PinnedSet
    client: Client
    progress: Progress

    @contextlib.contextmanager
    def downloaded(
        self,
        url: str,
        target: PinnedFile,
        *,
        client: Opener | None = None,
        credentials: Mapping[str, str] | None = None,
        room: int = 0,
    ) -> Iterator[PartialFile]:
        """What is at `url`, verified, in the store's filesystem; removed when the block ends well.

        Args:
            client: what opens the URL; default: the context's.
            credentials: headers for the URL's own host alone.
            room: bytes that the block needs besides.

        Raises:
            SourceError: if it can't be had now.
            NoSpaceError: if it does not fit.
        """
        store = self.pinned.store
        with claim(store.partial, target.sha256, alone=self.pinned.alone) as partial:
            require_space(store.root, target.size - partial.size + room)
            opener = client or self.client
            Download(opener, url, target, partial, self.progress, credentials).run()
            try:
                with self.client.patience.working():
                    yield partial
            except (NoSpaceError, OSError) as error:
                if is_full(error):  # the room is worth more to the next source than these bytes
                    partial.path.unlink(missing_ok=True)
                raise


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


class ChosenSource(Source, Protocol):
    """A source that the settings choose; it can be asked without fetching."""

    def probe(self, model: PinnedModel, client: Client, /) -> None:
        """Ask whether it could deliver the model's files now.

        Raises:
            SourceError: if it could not.
        """


def try_each(pieces: Iterable[_Piece], deliver: Callable[[_Piece], None]) -> None:
    """Deliver every piece that can be delivered.

    Raises:
        SourceError: telling all reasons, if some could not.
    """
    failures = []
    for piece in pieces:
        try:
            deliver(piece)
        except SourceError as error:
            failures.append(error)
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise SourceError(
            "; ".join(failure.reason for failure in failures),
            transient=any(failure.transient for failure in failures),
            unreachable=all(failure.unreachable for failure in failures),
        )
