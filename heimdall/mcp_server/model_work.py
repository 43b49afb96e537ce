"""The embedding model in the background: fetched, loaded, and used for the memories that have no vector yet."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from heimdall.errors import HeimdallError
from heimdall.models.text import megabytes
from heimdall.models.transfer.progress import Progress, make_progress

if TYPE_CHECKING:
    from heimdall.models.settings import Settings

_log = logging.getLogger(__name__)

_FIRST_RETRY_SECONDS: Final = 30.0
_LAST_RETRY_SECONDS: Final = 900.0
_FETCHING_SHARE: Final = 0.9


class ModelState(StrEnum):
    """Where the model is on its way to being used."""

    WAITING = "waiting"
    FETCHING = "fetching"
    LOADING = "loading"
    EMBEDDING = "embedding"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Situation:
    """The background work at one moment.

    Attributes:
        state: the stage.
        detail: the stage in words.
        done, total: bytes while fetching, memories while embedding; None while unknown.
    """

    state: ModelState
    detail: str
    done: int | None = None
    total: int | None = None

    @property
    def busy(self) -> bool:
        """Whether waiting makes sense."""
        return self.state in {ModelState.FETCHING, ModelState.LOADING, ModelState.EMBEDDING}

    @property
    def fraction(self) -> float:
        """How much of all stages is done, 0.0 to 1.0."""
        part = min(1.0, (self.done or 0) / self.total) if self.total else 0.0
        match self.state:
            case ModelState.FETCHING:
                return _FETCHING_SHARE * part
            case ModelState.LOADING:
                return _FETCHING_SHARE
            case ModelState.EMBEDDING:
                return _FETCHING_SHARE + (1 - _FETCHING_SHARE) * part
            case ModelState.READY:
                return 1.0
            case _:
                return 0.0


class Embeddable(Protocol):
    """What has memories without vectors: a `ProjectMemory`."""

    def embed_pending(
        self,
        *,
        progress: Callable[[int, int], None] | None = None,
        stop: threading.Event | None = None,
    ) -> int:
        """Give them vectors."""


class ModelWork:
    """Does the work in one thread, which ends when there is nothing to do. All methods are safe from any thread.

    The thread is a daemon: nobody waits for a download when the process ends, and the next process continues it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._situation = Situation(ModelState.WAITING, "not needed yet")
        self._thread: threading.Thread | None = None
        self._memories: list[Embeddable] = []
        self._stop = threading.Event()
        self._retry_seconds = _FIRST_RETRY_SECONDS
        self._not_before = 0.0

    @property
    def situation(self) -> Situation:
        """Where the work stands."""
        return self._situation

    def begin(self, memory: Embeddable | None = None, *, asked: bool = False) -> None:
        """Bring the model here if it is not, and give the memory's pending texts their vectors.

        Returns at once. After a failure nothing is tried again before some time has passed.

        Args:
            memory: whose texts; None: the model alone.
            asked: whether somebody needs it now. Otherwise `HEIMDALL_FETCH=use` leaves everything for later.
        """
        with self._lock:
            if (
                self._stop.is_set()
                or time.monotonic() < self._not_before
                or not (asked or _wanted_beforehand())
            ):
                return
            if memory is not None and memory not in self._memories:
                self._memories.append(memory)
            if self._thread is None and (
                memory is not None or self._situation.state is not ModelState.READY
            ):
                self._situation = Situation(ModelState.FETCHING, "looking for the model")
                self._thread = threading.Thread(
                    target=self._run, name="heimdall-model", daemon=True
                )
                self._thread.start()

    def stop(self, seconds: float) -> None:
        """End embedding after its current batch, and begin nothing more; waits `seconds` at most."""
        with self._lock:
            self._stop.set()
            thread = self._thread
        if thread is not None and self._situation.state is ModelState.EMBEDDING:
            thread.join(seconds)

    def _run(self) -> None:
        try:
            self._provide()
            while (memory := self._next_memory()) is not None:
                self._set(ModelState.LOADING, "loading the model")
                memory.embed_pending(progress=self._embedded, stop=self._stop)
        except (HeimdallError, OSError) as error:
            self._failed(str(error))
        except Exception as error:  # noqa: BLE001 (recall goes on by keywords, and the status says what happened)
            _log.exception("the model could not be made ready")
            self._failed(f"{type(error).__name__}: {error}; please report this")

    def _provide(self) -> None:
        from heimdall.cognitive_system.data_dirs import initialize_shared_environment
        from heimdall.models.resolver import resolve_in_detail
        from heimdall.models.settings import Settings

        settings = Settings.from_environment()
        resolve_in_detail(settings=settings, progress=_Reported(self, settings))
        initialize_shared_environment()  # which finds the model there

    def _next_memory(self) -> Embeddable | None:
        with self._lock:
            if self._memories and not self._stop.is_set():
                return self._memories.pop(0)
            self._thread = None
            self._retry_seconds = _FIRST_RETRY_SECONDS
            self._situation = Situation(
                ModelState.READY, "the model is here; memories are found by meaning"
            )
            _log.info("%s", self._situation.detail)
            return None

    def _failed(self, reason: str) -> None:
        _log.warning("the model can't be used yet: %s", reason)
        with self._lock:
            self._thread = None
            self._memories.clear()
            self._not_before = time.monotonic() + self._retry_seconds
            self._retry_seconds = min(2 * self._retry_seconds, _LAST_RETRY_SECONDS)
            self._situation = Situation(ModelState.FAILED, reason)

    def _embedded(self, done: int, total: int) -> None:
        self._set(ModelState.EMBEDDING, f"embedding memories: {done} of {total}", done, total)

    def _set(
        self, state: ModelState, detail: str, done: int | None = None, total: int | None = None
    ) -> None:
        self._situation = Situation(state, detail, done, total)

    def fetched(self, what: str, done: int, total: int | None) -> None:
        """Note how far a download is."""
        size = f"{megabytes(done)} of {megabytes(total)}" if total else megabytes(done)
        self._set(ModelState.FETCHING, f"fetching {what}: {size}", done, total)

    def remark(self, text: str) -> None:
        """Note what the resolver says."""
        self._situation = replace(self._situation, detail=text)


class _Reported(Progress):
    """Keeps the situation up to date, and says on stderr what is always said there."""

    def __init__(self, work: ModelWork, settings: Settings) -> None:
        self._work = work
        self._people = make_progress(wanted=settings.progress)
        self._what = ""
        self._done = 0
        self._total: int | None = None

    def note(self, text: str) -> None:
        self._people.note(text)
        self._work.remark(text)

    def start(self, what: str, total: int | None, done: int = 0) -> None:
        self._people.start(what, total, done)
        self._what, self._done, self._total = what, done, total
        self._work.fetched(what, done, total)

    def advance(self, count: int) -> None:
        self._people.advance(count)
        self._done += count
        self._work.fetched(self._what, self._done, self._total)

    def stop(self) -> None:
        self._people.stop()


def _wanted_beforehand() -> bool:
    from heimdall.models.settings import Settings, SettingsError

    try:
        return Settings.from_environment().fetch != "use"
    except SettingsError:
        return True  # the resolver says what is wrong
