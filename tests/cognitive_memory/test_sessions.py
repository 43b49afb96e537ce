from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from threading import enumerate as threads

import numpy as np
import pytest

from cognitive_memory.encoding.session import ModelSession
from cognitive_memory.encoding.sessions import MOST_THREADS, Sessions
from tests.support.near import assert_near

pytestmark = pytest.mark.model

ROWS = [np.array([101, 7592, 102])]


class Maker:
    """Makes real sessions and keeps what was asked for; fails for packed ones if told to."""

    def __init__(self, directory: Path, *, failing: bool = False) -> None:
        self.graph = directory / "all-MiniLM-L6-v2.onnx"
        self.failing = failing
        self.made: list[tuple[int, bool]] = []

    def __call__(self, threads: int, packed: bool) -> ModelSession:
        self.made.append((threads, packed))
        if packed and self.failing:
            raise RuntimeError("the files are gone")
        return ModelSession(self.graph, threads=threads, packed=packed)


def settled(sessions: Sessions) -> ModelSession:
    for thread in threads():
        if thread.name == "heimdall-settle":
            thread.join()
    return sessions.single()


def test_who_asks_once_pays_for_no_packing(model_directory: Path) -> None:
    make = Maker(model_directory)
    sessions = Sessions(make, cores=2)
    settled(sessions)
    assert make.made == [(2, False)]


def test_the_second_text_brings_the_packed_session_and_the_third_uses_it(
    model_directory: Path,
) -> None:
    make = Maker(model_directory)
    sessions = Sessions(make, cores=2)
    first = sessions.single()
    sessions.single()
    packed = settled(sessions)
    assert packed is not first
    assert settled(sessions) is packed
    assert make.made == [(2, False), (2, True)]
    assert_near(first.run(ROWS), packed.run(ROWS))


def test_bulk_has_one_thread_an_operator_and_a_worker_a_core(model_directory: Path) -> None:
    make = Maker(model_directory)
    sessions = Sessions(make, cores=3)
    assert sessions.workers == 3
    assert sessions.bulk() is sessions.bulk()
    assert make.made == [(3, False), (1, True)]


def test_with_one_core_one_packed_session_serves_both(model_directory: Path) -> None:
    make = Maker(model_directory)
    sessions = Sessions(make, cores=1)
    sessions.single()
    sessions.single()
    assert settled(sessions) is sessions.bulk()
    assert make.made == [(1, False), (1, True)]


def test_a_stand_in_answers_after_the_first_text_on_one_core(model_directory: Path) -> None:
    make, stand_in = Maker(model_directory), Maker(model_directory)
    sessions = Sessions(make, cores=2, stand_in=stand_in)
    sessions.single()
    sessions.single()
    alone = settled(sessions)
    assert sessions.bulk() is not alone
    assert (make.made, stand_in.made) == ([(2, False), (1, True)], [(1, True)])


def test_where_it_stands_in_for_bulk_too_one_session_serves_both(model_directory: Path) -> None:
    make, stand_in = Maker(model_directory), Maker(model_directory)
    sessions = Sessions(make, cores=2, stand_in=stand_in, in_bulk=True)
    sessions.single()
    sessions.single()
    assert settled(sessions) is sessions.bulk()
    assert (make.made, stand_in.made) == ([(2, False)], [(1, True)])


def test_many_cores_are_too_many_for_one_text(model_directory: Path) -> None:
    make = Maker(model_directory)
    assert Sessions(make, cores=64).workers == 64
    assert make.made == [(MOST_THREADS, False)]


def test_what_is_loaded_works_on_when_no_more_can_be_made(model_directory: Path) -> None:
    sessions = Sessions(Maker(model_directory, failing=True), cores=2)
    first = sessions.single()
    sessions.single()
    assert settled(sessions) is first
    assert sessions.bulk() is first


def test_threads_make_each_session_once(model_directory: Path) -> None:
    make = Maker(model_directory)
    sessions = Sessions(make, cores=2)
    start = Barrier(6)

    def work(number: int) -> None:
        start.wait()
        (sessions.bulk() if number % 2 else sessions.single()).run(ROWS)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    settled(sessions)
    assert sorted(make.made) == [(1, True), (2, False), (2, True)]
