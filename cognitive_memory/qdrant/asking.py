"""Asks the nodes of a Qdrant for what a recall needs, within the time that a recall has for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from cognitive_memory.qdrant.errors import QdrantError, QdrantRefusedError, QdrantUnreachableError
from cognitive_memory.qdrant.first_answer import FirstAnswer, NoAnswerError
from cognitive_memory.qdrant.settings import QdrantSettings
from cognitive_memory.qdrant.silence import Silence

if TYPE_CHECKING:
    from cognitive_memory.qdrant.index import QdrantIndex

T = TypeVar("T")


@dataclass
class _Candidate:
    """A node, what is known of its silence, and the connection to it once there is one."""

    settings: QdrantSettings
    silence: Silence
    index: QdrantIndex | None = field(default=None)


class QdrantNodes:
    """The nodes that a recall asks. Thread-safe.

    Args:
        settings: which Qdrant.
        open_index: makes the index of one node.
    """

    def __init__(
        self, settings: QdrantSettings, open_index: Callable[[QdrantSettings], QdrantIndex]
    ) -> None:
        self._settings = settings
        self._open_index = open_index
        self._lock = Lock()
        # What the recall does not wait for any more ends soon after.
        nodes = replace(settings, request_seconds=2 * settings.recall_seconds).nodes
        self._nodes = [_Candidate(node, Silence(node.directory, node.place)) for node in nodes]

    def ask(self, question: Callable[[QdrantIndex], T]) -> T:
        """What the first node that answers says.

        Nodes that did not answer a moment ago come last; if none did, none is asked.

        Raises:
            QdrantError: none answers.
        """
        silent = [node.silence.lasts() for node in self._nodes]
        if all(silent):
            raise QdrantUnreachableError(self._settings.place, "it did not answer a moment ago")
        order = sorted(range(len(self._nodes)), key=silent.__getitem__)
        nodes = [self._nodes[number] for number in order]
        with self._lock:
            questions = [partial(question, self._opened(node)) for node in nodes]
        asked = FirstAnswer(questions, self._settings.recall_seconds)
        try:
            number, answer = asked.get()
        except NoAnswerError:
            self._learn(nodes, asked, None)
            failures = [asked.failures[number] for number in sorted(asked.failures)]
            raise self._error(failures) from None
        self._learn(nodes, asked, number)
        return answer

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            for node in self._nodes:
                if node.index is not None:
                    node.index.close()

    def _opened(self, node: _Candidate) -> QdrantIndex:
        if node.index is None:
            node.index = self._open_index(node.settings)
        return node.index

    def _learn(self, nodes: list[_Candidate], asked: FirstAnswer[T], answered: int | None) -> None:
        """Keep in mind who answered and who did not."""
        for number, node in enumerate(nodes):
            failure = asked.failures.get(number)
            if number in asked.silent or isinstance(failure, QdrantUnreachableError):
                node.silence.begin()
            elif number == answered or isinstance(failure, QdrantError):
                node.silence.end()

    def _error(self, failures: list[Exception]) -> Exception:
        """What to say when nobody answered: what those said that said something."""
        refused = [failure for failure in failures if isinstance(failure, QdrantRefusedError)]
        if failures:
            return (refused or failures)[0]
        seconds = f"{self._settings.recall_seconds:g} s"
        return QdrantUnreachableError(
            self._settings.place,
            f"no answer within the {seconds} that a recall waits (HEIMDALL_QDRANT_TIMEOUT)",
        )
