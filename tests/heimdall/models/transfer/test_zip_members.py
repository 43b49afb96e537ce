from __future__ import annotations

import contextlib
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heimdall.models.errors import SourceError
from heimdall.models.transfer.zip_members import member_chunks, opened_zip

CONTENT = b"content " * 1000


def archive(method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as opened:
        opened.writestr("member", CONTENT)
    return buffer.getvalue()


def read(content: bytes, member: str = "member") -> bytes:
    with opened_zip(io.BytesIO(content), "x.whl") as opened:
        return b"".join(member_chunks(opened, member, "x.whl"))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_what_wheels_use_is_read(method: int) -> None:
    assert read(archive(method)) == CONTENT


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_inflates_without_a_bound_on_memory_is_refused(method: int) -> None:
    with pytest.raises(
        SourceError, match=rf"x\.whl: member member is compressed by method {method}; refused"
    ):
        read(archive(method))


def test_a_missing_member_is_named() -> None:
    with pytest.raises(SourceError, match=r"x\.whl: lacks the member other"):
        read(archive(zipfile.ZIP_STORED), "other")


@given(st.data())
def test_any_damage_is_one_error_or_found_by_the_hash_later(data: st.DataObject) -> None:
    content = bytearray(
        archive(data.draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])))
    )
    for position in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=5)):
        content[position] = data.draw(st.integers(0, 255))
    with contextlib.suppress(SourceError):
        read(bytes(content[: data.draw(st.integers(0, len(content)))]))
