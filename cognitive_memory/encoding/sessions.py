"""The sessions over one model: what loads quickest, what answers quickest and what does most are not the same.

- The *first* one is there at once: weights are used as they lie in the mapped file (a quarter of the time to load).
- *Single* texts share all cores operator by operator, with packed weights. Made beside the second text, so that a process
  that asks once does not pay for it; until it is ready the first one answers.
- In *bulk* every operator stays on one core, and as many batches run side by side as there are cores: a tenth more
  than with threads inside the operators. Made by the first work of that kind.

Another graph may stand in for the model's, after the first session: with single texts always, on one core, which leaves no
thread to wake up or to wait for; in bulk where it is quicker on this processor.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock, Thread

from cognitive_memory.encoding.session import ModelSession

Make = Callable[[int, bool], ModelSession]
"""Makes a session with that many threads, packed or not."""

MOST_THREADS = 4
"""For one text; its operators are too small to keep more of them busy."""


class Sessions:
    """Makes each session once, when it is wanted. Safe to use from several threads.

    Args:
        make: how to make one; called for the first one at once.
        cores: how many cores may be used.
        stand_in: makes one over the graph that stands in; None: there is none.
        in_bulk: whether it does so in bulk, too.

    Attributes:
        workers: how many batches to run side by side in bulk.
    """

    def __init__(
        self, make: Make, *, cores: int, stand_in: Make | None = None, in_bulk: bool = False
    ) -> None:
        threads = min(cores, MOST_THREADS)
        self._single = make(threads, False)
        self._packed_single = (stand_in, 1) if stand_in else (make, threads)
        self._packed_bulk = (stand_in if stand_in and in_bulk else make, 1)
        self.workers = cores if self._single.on_cpu else 1
        self._asked = 0
        self._settling: Thread | None = None
        self._bulk: ModelSession | None = None
        self._lock = Lock()

    def single(self) -> ModelSession:
        """The session for one text, or few."""
        if self._settling is None:
            with self._lock:
                self._asked += 1
                if self._asked == 2 and self._single.on_cpu:
                    # Not a daemon: Python must not end while onnxruntime is at work.
                    self._settling = Thread(
                        target=self._settle, name="heimdall-settle", daemon=False
                    )
                    self._settling.start()
        return self._single

    def bulk(self) -> ModelSession:
        """The session for many texts."""
        with self._lock:
            if self._bulk is None:
                on_cpu = self._single.on_cpu
                self._bulk = self._packed(*self._packed_bulk) if on_cpu else self._single
            return self._bulk

    def _settle(self) -> None:
        if self._packed_single == self._packed_bulk:  # one session, which is not made twice
            self._single = self.bulk()
        else:
            self._single = self._packed(*self._packed_single)

    def _packed(self, make: Make, threads: int) -> ModelSession:
        try:
            return make(threads, True)
        except (
            Exception
        ):  # onnxruntime has no narrower one; the first session does the same, slower
            import logging

            logging.getLogger(__name__).info("working on with the first session", exc_info=True)
            return self._single
