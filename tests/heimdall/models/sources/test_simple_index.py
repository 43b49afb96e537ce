from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heimdall.models.errors import SourceError
from heimdall.models.sources.simple_index import Link, Wheel, find_wheel, parse_html, parse_json
from heimdall.models.transfer.http import Client
from tests.support.faults import Fault, Instead
from tests.support.servers import plain_mirror

BASE = "https://index.example/simple/some-model/"
DIGEST = "ab" * 32


def test_html() -> None:
    page = f'<a href="../../p/some_model-1.0-py3-none-any.whl#sha256={DIGEST}">x</a><A HREF="b%20c.whl">y</A><a>z</a>'
    assert parse_html(page, BASE) == [
        Link(
            "some_model-1.0-py3-none-any.whl",
            "https://index.example/p/some_model-1.0-py3-none-any.whl",
            DIGEST,
        ),
        Link("b c.whl", f"{BASE}b%20c.whl", None),
    ]


@pytest.mark.parametrize("digest", ["../../../etc/passwd", "AB" * 32, "", "ab"])
def test_a_digest_that_is_none_is_not_taken_for_one(digest: str) -> None:
    page = json.dumps(
        {"files": [{"filename": "f.whl", "url": "f.whl", "hashes": {"sha256": digest}}]}
    )
    assert parse_json(page, BASE) == [Link("f.whl", f"{BASE}f.whl", None)]
    assert parse_html(f'<a href="f.whl#sha256={digest}">', BASE)[0].sha256 is None


@given(st.text(max_size=200))
def test_any_page_is_read_or_refused(text: str) -> None:
    for link in parse_html(text, BASE):
        assert link.sha256 is None or len(link.sha256) == 64
    with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
        parse_json(text, BASE)


@pytest.mark.parametrize(
    "name", ["some_model-1.0-py3-none-any.whl", "Some.Model-1.0-1-cp311-abi3-linux_x86_64.whl"]
)
def test_a_wheel_is_found_by_project_and_version(tmp_path: Path, name: str) -> None:
    others = [
        "some_model-1.0.tar.gz",
        "some_model-1.1-py3-none-any.whl",
        "some_model_x-1.0-py3-none-any.whl",
    ]
    page = tmp_path / "some-model" / "index.html"
    page.parent.mkdir()
    page.write_text("".join(f'<a href="{each}">' for each in [*others, name]))
    assert find_wheel(tmp_path.as_uri(), Wheel.of("Some_Model", "1.0"), Client()).filename == name


def test_a_server_can_not_point_at_files_of_this_machine(tmp_path: Path) -> None:
    link = b'<a href="file:///etc/some_model-1.0-py3-none-any.whl">'
    fault = Fault(Instead(200, link, {"Content-Type": "text/html"}))
    refused = pytest.raises(SourceError, match="as a file of this machine, which was refused")
    with plain_mirror(tmp_path, faults=[fault]) as server, refused:
        find_wheel(server.url, Wheel.of("some-model", "1.0"), Client(stall_seconds=2))
