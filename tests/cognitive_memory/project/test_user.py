from __future__ import annotations

import os
from pathlib import Path

import pytest

from cognitive_memory.core.memory import NewMemory, Scope
from cognitive_memory.opening import existing_memory, open_memory
from cognitive_memory.project.errors import UntrustedProjectError
from cognitive_memory.project.find import find_project
from cognitive_memory.project.registry import known_projects
from cognitive_memory.project.user import user_place
from cognitive_memory.qdrant.settings import URL_VARIABLE
from heimdall.models import locations
from tests.support.capabilities import needs_root

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there are no owners and modes")


def test_looking_makes_nothing() -> None:
    assert existing_memory(user_place()) is None
    assert not user_place().root.exists()


def test_it_is_private_whatever_the_umask_and_no_project(monkeypatch: pytest.MonkeyPatch) -> None:
    before = os.umask(0)
    try:
        with open_memory(user_place()) as memory:
            memory.store(NewMemory(text="I prefer tabs."), embed=False)
    finally:
        os.umask(before)
    place = user_place()
    assert place.root.stat().st_mode & 0o777 == 0o700
    assert place.database.stat().st_mode & 0o777 == 0o600
    assert place.root.parent == Path(locations.data_dir())
    assert known_projects() == []
    assert find_project(place.root).database != place.database, "no search finds it"
    with open_memory(place) as memory:
        assert {one.scope for one in memory.memories()} == {Scope.USER}


def test_its_vectors_stay_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(URL_VARIABLE, "no address")
    with open_memory(user_place()) as memory:
        assert list(memory.memories()) == []


def test_a_link_or_a_folder_where_others_may_write_is_refused_whatever_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEIMDALL_TRUST", "*")
    root = user_place().root
    root.parent.mkdir(parents=True)
    root.symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(UntrustedProjectError, match="nothing was read or stored"):
        open_memory(user_place())
    root.unlink()
    root.mkdir()
    root.chmod(0o777)
    with pytest.raises(UntrustedProjectError, match="nobody else may write to"):
        open_memory(user_place())


@needs_root
def test_what_another_user_put_there_is_refused() -> None:
    root = user_place().root
    root.mkdir(parents=True, mode=0o755)
    os.chown(root, 12345, 12345)
    with pytest.raises(UntrustedProjectError):
        open_memory(user_place())
