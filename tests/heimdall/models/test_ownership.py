"""What neighbours on one machine can do to what this user believes: real users, one group directory."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from heimdall.models.ownership import is_own, owner
from tests.support.other_user import OtherUser, other_users
from tests.support.small_model import Installation, SmallModel, from_mirror

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "geteuid"), reason="this system has no such owners"),
]

LOCATE = "from heimdall.models.locate import locate; place = locate(); print(place.state, place.directory)"
RESOLVE = "from heimdall.models.resolver import resolve; print(resolve())"
PLACES = """
import sys
from pathlib import Path
from heimdall.models import graph_cache
from heimdall.models.resolver import resolve
def write(directory):
    (directory / "thing.bin").write_text(sys.argv[1])
places = graph_cache.places(resolve())
kept = [found for place in places if (found := graph_cache.find(place, "thing"))]
print(kept[0] if kept else graph_cache.make(places[-1], "thing", write))
"""


@dataclass
class Neighbours:
    """Two users who share a directory, each with a home; the directory's `umask` is 002."""

    shared: Path
    run: Callable[..., str]
    first: OtherUser
    second: OtherUser


@pytest.fixture
def neighbours(installation: Installation, small: SmallModel, tmp_path: Path) -> Neighbours:
    first, second = other_users()
    shared = tmp_path / "shared"
    shared.mkdir()
    os.chown(shared, 0, first.gid)
    shared.chmod(0o2775)
    for user in (first, second):
        home = tmp_path / str(user.uid)
        home.mkdir()
        os.chown(home, user.uid, user.gid)

    def run(user: OtherUser, code: str, *arguments: str, umask: str = "002") -> str:
        environment = installation.environment(
            HOME=str(tmp_path / str(user.uid)),
            HEIMDALL_DATA_DIR=str(shared / "heimdall"),
            **from_mirror(small.mirror),
            HEIMDALL_FETCH="use",
            PYTHONDONTWRITEBYTECODE="1",
        )
        done = user.run([sys.executable, "-c", code, *arguments], environment, umask=umask)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return Neighbours(shared, run, first, second)


@pytest.mark.parametrize(
    ("uid", "mode", "own"),
    [
        (0, 0o100644, True),
        (-1, 0o100644, True),
        (-1, 0o100600, True),
        (-1, 0o100664, False),
        (-1, 0o100646, False),
        (54321, 0o100644, False),
        (0, 0o100666, False),
    ],
)
def test_own_is_this_users_or_roots_and_not_writable_for_others(
    uid: int, mode: int, own: bool
) -> None:
    status = os.stat_result((mode, 1, 1, 1, os.geteuid() if uid == -1 else uid, 0, 0, 0, 0, 0))
    assert is_own(status) == own


def test_what_a_neighbour_fetched_is_hashed_once_and_believed_by_an_own_receipt(
    neighbours: Neighbours, small: SmallModel
) -> None:
    first, second, run = neighbours.first, neighbours.second, neighbours.run
    tree = Path(run(first, RESOLVE))
    assert run(first, LOCATE) == f"verified {tree}"
    assert run(second, LOCATE) == f"unverified {tree}", "the receipt is not this user's"
    assert run(second, RESOLVE) == str(tree)
    assert run(second, LOCATE) == f"verified {tree}"
    small.assert_tree(tree)


def test_a_neighbour_who_replaces_weights_is_noticed_by_size_and_time_stamp_or_not(
    neighbours: Neighbours, small: SmallModel
) -> None:
    first, second, run = neighbours.first, neighbours.second, neighbours.run
    tree = Path(run(first, RESOLVE))
    run(second, RESOLVE)
    weights = tree / "model.safetensors"
    rewrite = """
import os, sys
from pathlib import Path
path = Path(sys.argv[1]); status = path.stat()
path.write_bytes(bytes(status.st_size))
os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
"""
    run(first, rewrite, str(weights))
    assert weights.read_bytes() == bytes(300_000)
    assert run(second, LOCATE).startswith("unverified ")
    small.assert_tree(Path(run(second, RESOLVE)))


def test_a_set_that_a_neighbour_prepared_with_a_receipt_of_theirs_is_not_believed(
    neighbours: Neighbours, small: SmallModel
) -> None:
    first, second, run = neighbours.first, neighbours.second, neighbours.run
    tree = Path(run(first, RESOLVE))
    forge = """
import json, os, sys
from pathlib import Path
tree = Path(sys.argv[1]); weights = tree / "model.safetensors"
weights.unlink(); weights.write_bytes(b"x" * 300_000)
receipt = tree.parent / "receipt.json"; document = json.loads(receipt.read_text())
status = weights.stat()
document["stats"]["model.safetensors"] = [status.st_size, status.st_mtime_ns]
receipt.write_text(json.dumps(document))
"""
    run(first, forge, str(tree))
    assert run(second, LOCATE).startswith("unverified ")
    small.assert_tree(Path(run(second, RESOLVE)))


def test_what_a_neighbour_computed_is_not_believed(neighbours: Neighbours) -> None:
    first, second, run = neighbours.first, neighbours.second, neighbours.run
    theirs = Path(run(first, PLACES, "theirs"))
    assert theirs.parent.name == "derived"
    assert run(first, PLACES, "again") == str(theirs)
    own = Path(run(second, PLACES, "own"))
    assert (theirs / "thing.bin").read_text() == "theirs"
    assert (own / "thing.bin").read_text() == "own"
    assert not own.is_relative_to(neighbours.shared)
    assert run(second, PLACES, "again") == str(own)


def test_what_root_computed_serves_all(neighbours: Neighbours) -> None:
    root = OtherUser(0, 0)
    run = neighbours.run
    theirs = run(root, PLACES, "root's", umask="077")
    assert run(neighbours.first, PLACES, "own") == theirs


def test_a_neighbours_part_is_copied_since_they_may_still_have_it_open(
    neighbours: Neighbours, small: SmallModel
) -> None:
    first, second, run = neighbours.first, neighbours.second, neighbours.run
    asset = small.manifest.models[0].asset
    prepare = """
import sys
from pathlib import Path
partial = Path(sys.argv[1], "heimdall/models/.store/partial"); partial.mkdir(parents=True)
path = partial / f"{sys.argv[2]}.free-00.part"
path.write_bytes(b"x"); path.chmod(0o666)
"""
    run(first, prepare, str(neighbours.shared), asset.sha256)
    claim = """
import sys
from pathlib import Path
from heimdall.models.transfer.partials import claim
with claim(Path(sys.argv[1], "heimdall/models/.store/partial"), sys.argv[2]) as partial:
    print(partial.size, partial.path.stat().st_uid)
"""
    told = run(second, claim, str(neighbours.shared), asset.sha256)
    assert told == f"1 {second.uid}"


def test_an_owner_is_told_by_name_or_number(tmp_path: Path) -> None:
    assert owner(tmp_path) == tmp_path.owner()
    assert owner(tmp_path / "missing") == "somebody else"


@pytest.mark.skipif(getattr(os, "geteuid", int)() != 0, reason="only root can give a file away")
def test_an_owner_without_a_name_is_told_by_number(tmp_path: Path) -> None:
    os.chown(tmp_path, 54_321, -1)
    assert owner(tmp_path) == "user 54321"
