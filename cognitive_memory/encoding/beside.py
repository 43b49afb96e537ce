"""One call in a thread of its own. What `concurrent.futures` has for that takes 8 ms to import, at every start."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Generic, TypeVar

T = TypeVar("T")


class Beside(Generic[T]):
    """Runs `call` while the maker of this does something else."""

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self._results: list[T] = []
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, name="heimdall-load")
        self._thread.start()

    def result(self) -> T:
        """What the call returned, once it has.

        Raises:
            BaseException: what the call raised.
        """
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._results[0]

    def _run(self) -> None:
        try:
            self._results.append(self._call())
        except BaseException as error:  # noqa: BLE001 (raised by `result`, in the thread that wants it)
            self._error = error
