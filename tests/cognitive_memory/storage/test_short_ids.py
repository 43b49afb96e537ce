from __future__ import annotations

import pytest

from cognitive_memory.core.memory import NewMemory
from cognitive_memory.core.values import MemoryValueError
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.storage.errors import AmbiguousIdError, UnknownMemoryError
from cognitive_memory.storage.short_ids import short_id, whole_ids

ONE = "6f9619ff-8b86-4011-b42d-00c04fc964ff"
LIKE_IT = "6f9619ff-8b86-4011-b42d-00c04fc964fe"
OTHER = "6f9619fe-8b86-4011-b42d-00c04fc964ff"


@pytest.fixture(autouse=True)
def three(memory: ProjectMemory) -> None:
    memory.store_many(NewMemory(text=one, id=one) for one in (ONE, LIKE_IT, OTHER))


@pytest.mark.parametrize(
    "given",
    [
        short_id(OTHER),
        OTHER,
        OTHER.upper(),
        f"{{{OTHER}}}",
        OTHER.replace("-", ""),
        " 6F9619FE-8B ",
    ],
)
def test_an_id_is_known_by_its_beginning(memory: ProjectMemory, given: str) -> None:
    assert whole_ids([memory.storage], [given, OTHER]) == [OTHER]


def test_of_several_that_begin_so_none_is_taken(memory: ProjectMemory) -> None:
    with pytest.raises(AmbiguousIdError) as caught:
        whole_ids([memory.storage], [OTHER, short_id(ONE)])
    assert caught.value.ids == (LIKE_IT, ONE)
    assert LIKE_IT in str(caught.value)
    assert ONE in str(caught.value)
    assert whole_ids([memory.storage], [ONE, LIKE_IT]) == [ONE, LIKE_IT]


def test_all_that_are_unknown_are_named(memory: ProjectMemory) -> None:
    with pytest.raises(UnknownMemoryError) as caught:
        whole_ids([memory.storage], [OTHER, "00000000", "00000000-1"])
    assert caught.value.ids == ("00000000", "00000000-1")


@pytest.mark.parametrize(
    "given", ["", "6f9619f", "6f9619fg", "%", "6f9619fe*", "-6f9619fe", "x" * 40]
)
def test_less_names_nothing(memory: ProjectMemory, given: str) -> None:
    with pytest.raises(MemoryValueError, match="its first 8 characters or more"):
        whole_ids([memory.storage], [given])
