from __future__ import annotations

import contextlib
import hashlib
import threading

from hypothesis import given
from hypothesis import strategies as st

from heimdall.models.transfer.digest import Sha256

_CHUNKS = st.lists(
    st.one_of(st.binary(max_size=50), st.sampled_from([bytes(70_000), b"x" * 200_000])), max_size=8
)


@given(_CHUNKS)
def test_it_is_hashlibs(chunks: list[bytes]) -> None:
    with contextlib.closing(Sha256()) as digest:
        so_far = hashlib.sha256()
        for chunk in chunks:
            digest.update(chunk)
            so_far.update(chunk)
            if len(chunk) % 2:
                assert digest.hexdigest() == so_far.hexdigest()
    assert digest.hexdigest() == so_far.hexdigest()


def test_no_thread_is_left_behind() -> None:
    before = threading.active_count()
    with contextlib.closing(Sha256()) as digest:
        digest.update(bytes(100_000))
        assert threading.active_count() == before + 1
    assert threading.active_count() == before
    digest.close()
