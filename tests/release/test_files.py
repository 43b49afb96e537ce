"""What arrives is bounded by what is pinned."""

from __future__ import annotations

import hashlib
import io
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.files import CHUNK
from release.files import copy_verified


@given(content=st.binary(max_size=100), other=st.binary(max_size=100))
def test_only_the_pinned_bytes_pass(content: bytes, other: bytes) -> None:
    target = io.BytesIO()
    copy = partial(
        copy_verified,
        io.BytesIO(other),
        target,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        subject="file",
    )
    if other == content:
        copy()
        assert target.getvalue() == content
    else:
        with pytest.raises(ModelBuildError, match="file: "):
            copy()


def test_no_more_is_read_than_one_chunk_too_much() -> None:
    source = io.BytesIO(bytes(5 * CHUNK))
    with pytest.raises(ModelBuildError, match="more than the 10 bytes"):
        copy_verified(source, io.BytesIO(), sha256="0" * 64, size=10, subject="bomb")
    assert source.tell() == CHUNK
