"""The embedding model in the background: fetched, loaded, and used for the memories that have no vector yet."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from heimdall.errors import HeimdallError
from heimdall.models.text import megabytes
from heimdall.models.transfer.progress import Progress, make_progress

if TYPE_CHECKING:
    from cognitive_memory.project_memory import ProjectMemory

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
class ModelStatus:
    """The model at one moment.

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
        fractions = {
            ModelState.FETCHING: _FETCHING_SHARE * part,
            ModelState.LOADING: _FETCHING_SHARE,
            ModelState.EMBEDDING: _FETCHING_SHARE + (1 - _FETCHING_SHARE) * part,
            ModelState.READY: 1.0,
        }
        return fractions.get(self.state, 0.0)


class ModelLoader:
    """Does the work in one thread, which ends when there is nothing to do. All methods are safe from any thread.

    The thread is a daemon: nobody waits for a download when the process ends, and the next process continues it.

    Attributes:
        status: how far it is; replaced as a whole, so that it can be read without the lock.
    """

    def __init__(self) -> None:
        self.status = ModelStatus(ModelState.WAITING, "not needed yet")
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._memories: list[ProjectMemory] = []
        self._stop = threading.Event()
        self._retry_seconds = _FIRST_RETRY_SECONDS
        self._not_before = 0.0

    def begin(self, memory: ProjectMemory | None = None, *, asked: bool = False) -> None:
        """Bring the model here if it is not, and give the memory's pending texts their vectors.

        Returns at once. After a failure nothing is tried again before some time has passed.

        Args:
            memory: whose texts; None: the model alone.
            asked: whether somebody needs it now. Otherwise `HEIMDALL_FETCH=use` leaves everything for later.
        """
        with self._lock:
            too_early = self._stop.is_set() or time.monotonic() < self._not_before
            if too_early or not (asked or _wanted_beforehand()):
                return
            if memory is not None and memory not in self._memories:
                self._memories.append(memory)
            if self._thread is None and (self._memories or self.status.state != ModelState.READY):
                # Set here rather than by the thread: whoever calls this and waits must see it busy.
                self.status = ModelStatus(ModelState.FETCHING, "looking for the model")
                self._thread = threading.Thread(
                    target=self._run, name="heimdall-model", daemon=True
                )
                self._thread.start()

    def stop(self, seconds: float) -> None:
        """End embedding after its current batch, and begin nothing more; waits `seconds` at most."""
        with self._lock:
            self._stop.set()
            thread = self._thread
        # A download is not waited for: what it brought stays, and the next process goes on from there.
        if thread is not None and self.status.state is ModelState.EMBEDDING:
            thread.join(seconds)

    def _run(self) -> None:
        try:
            self._provide()
            while (memory := self._next_memory()) is not None:
                self.status = ModelStatus(ModelState.LOADING, "loading the model")
                memory.embed_pending(progress=self._embedded, stop=self._stop)
        except (HeimdallError, OSError) as error:
            self._fail(str(error))
        except Exception as error:  # noqa: BLE001 (recall goes on by keywords, and the status says what happened)
            _log.exception("the model could not be made ready")
            self._fail(f"{type(error).__name__}: {error}; please report this")

    def _provide(self) -> None:
        from cognitive_memory.encoding.session import require_engine
        from heimdall.cognitive_system.data_dirs import initialize_shared_environment
        from heimdall.models.locate import locate
        from heimdall.models.resolver import resolve_in_detail
        from heimdall.models.settings import Settings

        settings = Settings.from_environment()
        if not locate().here:
            require_engine()
        progress = _ReportedProgress(self, make_progress(wanted=settings.progress))
        resolve_in_detail(settings=settings, progress=progress)
        initialize_shared_environment()  # which finds the model there

    def _next_memory(self) -> ProjectMemory | None:
        with self._lock:
            if self._memories and not self._stop.is_set():
                return self._memories.pop(0)
            # Under the same lock as the look at the list: a memory that comes now starts a new thread.
            self._thread = None
            self._retry_seconds = _FIRST_RETRY_SECONDS
            ready = "the model is here; memories are found by meaning"
            self.status = ModelStatus(ModelState.READY, ready)
        _log.info("%s", ready)
        return None

    def _fail(self, reason: str) -> None:
        _log.warning("the model can't be used yet: %s", reason)
        with self._lock:
            self._thread = None
            self._memories.clear()
            # Every call would try again otherwise, and wait as long as the network takes to refuse.
            self._not_before = time.monotonic() + self._retry_seconds
            self._retry_seconds = min(2 * self._retry_seconds, _LAST_RETRY_SECONDS)
            self.status = ModelStatus(ModelState.FAILED, reason)

    def _embedded(self, done: int, total: int) -> None:
        detail = f"embedding memories: {done} of {total}"
        self.status = ModelStatus(ModelState.EMBEDDING, detail, done, total)


class _ReportedProgress(Progress):
    """Keeps the loader's status up to date, and tells people what they are always told."""

    def __init__(self, loader: ModelLoader, people: Progress) -> None:
        self._loader = loader
        self._people = people

    def note(self, text: str) -> None:
        self._people.note(text)
        self._loader.status = replace(self._loader.status, detail=text)

    def start(self, what: str, total: int | None, done: int = 0) -> None:
        self._people.start(what, total, done)
        super().start(what, total, done)

    def reach(self, done: int, total: int | None) -> None:
        super().reach(done, total)
        self._people.reach(done, total)
        of_total = f" of {megabytes(total)}" if total else ""
        detail = f"{self.what}: {megabytes(done)}{of_total}"
        self._loader.status = ModelStatus(ModelState.FETCHING, detail, done, total)

    def stop(self) -> None:
        self._people.stop()


def _wanted_beforehand() -> bool:
    from heimdall.models.settings import Settings, SettingsError

    try:
        return Settings.from_environment().fetch != "use"
    except SettingsError:
        return True  # the resolver says what is wrong
