"""The first answer of several that are asked, within a time that holds whatever they do."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Generic, TypeVar, cast

T = TypeVar("T")


class NoAnswerError(Exception):
    """All have failed or said nothing in time."""


class FirstAnswer(Generic[T]):
    """Asks one after the other, each in a thread of its own, until one answers.

    The next one is asked when one fails, or has had its share of the time; whoever was asked before
    may still answer. A thread that is left behind ends with its request, and is not waited for,
    neither here nor when the interpreter exits.

    Args:
        questions: what to call; each returns its answer or raises.
        seconds: for all of them together.

    Attributes:
        failures: the error of each that failed, by its number.
        silent: the numbers of those that were asked and have said nothing.
    """

    def __init__(self, questions: Sequence[Callable[[], T]], seconds: float) -> None:
        self._questions = questions
        self._ends = time.monotonic() + seconds
        self._answers: SimpleQueue[tuple[int, T | None, Exception | None]] = SimpleQueue()
        self.failures: dict[int, Exception] = {}
        self.silent: set[int] = set()

    def get(self) -> tuple[int, T]:
        """The number of the one that answered, and what it said.

        Raises:
            NoAnswerError: none did.
        """
        last = len(self._questions) - 1
        for number in range(len(self._questions)):
            self.silent.add(number)
            Thread(target=self._ask, args=(number,), daemon=True, name="heimdall-qdrant").start()
            now = time.monotonic()
            share = max(0.0, self._ends - now) / (last - number + 1)
            while self.silent if number == last else number in self.silent:
                try:
                    said, answer, failure = self._answers.get(
                        timeout=max(0.0, now + share - time.monotonic())
                    )
                except Empty:
                    break
                self.silent.discard(said)
                if failure is None:
                    return said, cast("T", answer)
                self.failures[said] = failure
        raise NoAnswerError

    def _ask(self, number: int) -> None:
        try:
            self._answers.put((number, self._questions[number](), None))
        except Exception as error:  # noqa: BLE001 (whoever waits gets it)
            self._answers.put((number, None, error))
