from __future__ import annotations

import itertools
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heimdall.models.errors import ModelUnavailable, SourceError
from heimdall.models.fetch import ROUNDS, delay_seconds, provide
from heimdall.models.manifest import PinnedFile, PinnedModel
from heimdall.models.patience import Patience
from heimdall.models.pinned_set import PinnedSet
from heimdall.models.settings import Settings
from heimdall.models.sources.base import Context
from heimdall.models.store import Store
from heimdall.models.transfer.progress import Progress
from tests.support.small_model import SmallModel


@dataclass
class Scripted:
    """A source that does, one after the other, what it was told: an error, or the paths it delivers."""

    name: str
    small: SmallModel
    script: list[Exception | list[str]]
    remote: bool = True
    asked: int = 0
    place: str = "somewhere"
    log: list[str] = field(default_factory=list)

    def deliver(self, wanted: Sequence[PinnedFile], context: Context) -> None:
        self.asked += 1
        self.log.append(self.name)
        step = self.script.pop(0) if self.script else SourceError("exhausted")
        if isinstance(step, Exception):
            raise step
        for file in wanted:
            if file.path in step:
                context.pinned.store.receive(file, [self.small.files[file.path]])


WEIGHTS, TOKENIZER = "model.safetensors", "tokenizer/tokenizer.json"
BUSY = SourceError("busy", transient=True)


@pytest.fixture
def store(models_dir) -> Store:  # type: ignore[no-untyped-def]
    store = Store(models_dir)
    store.prepare()
    return store


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    return waits


def ask(
    sources: list[Scripted],
    pinned: PinnedModel,
    store: Store,
    settings: Settings = Settings(),  # noqa: B008
    *,
    patience: Patience | None = None,
) -> tuple[str, ...]:
    return provide(
        PinnedSet(pinned, store), settings, Progress(), sources=sources, patience=patience
    )


class Noting(Progress):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)


def test_what_fails_in_the_same_way_again_is_said_once(
    small: SmallModel, pinned: PinnedModel, store: Store, waits: list[float]
) -> None:
    worse = SourceError("worse", transient=True)
    first = Scripted("mirror", small, [*[BUSY] * (ROUNDS - 1), worse])
    second = Scripted("github", small, [BUSY] * ROUNDS)
    progress = Noting()
    with pytest.raises(ModelUnavailable):
        provide(PinnedSet(pinned, store), Settings(), progress, sources=[first, second])
    assert [said for said in progress.said if "next source" in said] == [
        "mirror: somewhere: busy; trying the next source",
        "mirror: somewhere: worse; trying the next source",
    ]
    again = [said for said in progress.said if "asking again" in said]
    assert again[0].startswith("github: somewhere: busy; asking again")
    assert all(said.startswith("asking again") for said in again[1:])


@pytest.mark.parametrize(
    "error", [ValueError("invalid literal: token"), KeyError("x"), RecursionError(), MemoryError()]
)
def test_whatever_an_answer_makes_a_parser_raise_the_next_source_is_asked(
    pinned: PinnedModel, store: Store, small: SmallModel, error: Exception
) -> None:
    odd, good = Scripted("odd", small, [error]), Scripted("good", small, [[WEIGHTS, TOKENIZER]])
    assert ask([odd, good], pinned, store) == ("good",)
    other = Store(store.models_dir.with_name("other"))
    with pytest.raises(ModelUnavailable) as told:
        ask([Scripted("odd", small, [error])], pinned, other)
    assert f"its answer can't be used ({type(error).__name__})" in str(told.value)
    assert "token" not in str(told.value)


def test_trouble_with_the_store_is_no_fault_of_a_source(
    pinned: PinnedModel, store: Store, small: SmallModel
) -> None:
    error = PermissionError(13, "Permission denied")
    with pytest.raises(PermissionError):
        ask([Scripted("first", small, [error]), Scripted("second", small, [])], pinned, store)


def test_sources_complete_each_other(pinned: PinnedModel, store: Store, small: SmallModel) -> None:
    first, second = Scripted("first", small, [[TOKENIZER]]), Scripted("second", small, [[WEIGHTS]])
    third = Scripted("third", small, [])
    assert ask([first, second, third], pinned, store) == ("first", "second")
    assert store.missing(pinned.files) == []
    assert third.asked == 0


def test_all_are_asked_once_before_anybody_waits(
    pinned: PinnedModel, store: Store, small: SmallModel, waits: list[float]
) -> None:
    first, second = (
        Scripted("first", small, [BUSY]),
        Scripted("second", small, [[WEIGHTS, TOKENIZER]]),
    )
    assert ask([first, second], pinned, store) == ("second",)
    assert waits == []


def test_only_those_that_may_recover_are_asked_again(
    pinned: PinnedModel, store: Store, small: SmallModel, waits: list[float]
) -> None:
    gone = Scripted("gone", small, [SourceError("404")])
    busy = Scripted("busy", small, [BUSY, BUSY, [WEIGHTS, TOKENIZER]])
    assert ask([gone, busy], pinned, store) == ("busy",)
    assert (gone.asked, busy.asked, len(waits)) == (1, 3, 2)


def test_the_closing_error_tells_what_each_did(
    pinned: PinnedModel, store: Store, small: SmallModel, waits: list[float]
) -> None:
    gone = Scripted("gone", small, [SourceError("answered 404")])
    busy = Scripted("busy", small, [SourceError("answered 503", transient=True)] * 9)
    with pytest.raises(ModelUnavailable) as caught:
        ask([gone, busy], pinned, store)
    assert [str(attempt) for attempt in caught.value.attempts] == [
        "gone: somewhere: answered 404",
        "busy: somewhere: answered 503",
    ]
    assert busy.asked == ROUNDS
    assert len(waits) == ROUNDS - 1
    assert "HEIMDALL_MODELS_MIRROR" in str(caught.value)


def test_in_a_hurry_nobody_waits_for_a_network_that_is_not_there(
    pinned: PinnedModel, store: Store, small: SmallModel, waits: list[float]
) -> None:
    away = SourceError("refused", transient=True, unreachable=True)
    source = Scripted("away", small, [away] * 9)
    with pytest.raises(ModelUnavailable):
        ask([source], pinned, store, patience=Patience(5))
    assert (source.asked, waits) == (1, [])


@pytest.mark.parametrize(
    "settings", [Settings(offline="HEIMDALL_OFFLINE"), Settings(fetch="never")]
)
def test_a_forbidden_network_is_not_asked_and_named(
    pinned: PinnedModel, store: Store, small: SmallModel, settings: Settings
) -> None:
    local, remote = (
        Scripted("local", small, [[TOKENIZER]], remote=False),
        Scripted("remote", small, [[WEIGHTS]]),
    )
    with pytest.raises(
        ModelUnavailable, match=f"remote: not asked, since {settings.network_forbidden_by}"
    ) as caught:
        ask([local, remote], pinned, store, settings)
    assert remote.asked == 0
    assert "Unset HEIMDALL_" in caught.value.advice


@given(number=st.integers(0, 12), asked=st.lists(st.none() | st.floats(0, 1e6), max_size=4))
def test_delays_grow_and_are_bounded(number: int, asked: list[float | None]) -> None:
    delay = delay_seconds(number, asked)
    assert 0 <= delay <= 60
    if asked:
        assert delay >= min(60.0, *(seconds or 0.0 for seconds in asked))


def test_delays_are_spread_and_double() -> None:
    highest = [max(delay_seconds(number, []) for _ in range(200)) for number in range(5)]
    assert all(lower < higher for lower, higher in itertools.pairwise(highest))
    assert len({delay_seconds(3, []) for _ in range(50)}) == 50


def test_a_programs_own_random_numbers_stay_as_they_are() -> None:
    state = random.getstate()
    delay_seconds(3, [])
    assert random.getstate() == state
