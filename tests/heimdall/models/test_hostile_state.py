"""Whatever stands in the store's own files, or in the manifest: right, or an error of ours; never a crash or a hang."""

from __future__ import annotations

import contextlib
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heimdall.models import first_import, locations, quiet_fetch, receipts
from heimdall.models.errors import ManifestError, SourceError
from heimdall.models.manifest import PinnedModel, read_model
from heimdall.models.prune import judge
from heimdall.models.receipts import StoredSet
from heimdall.models.resolver import resolve_in_detail
from heimdall.models.settings import Settings
from heimdall.models.store import Store
from heimdall.models.transfer.failures import retry_after_seconds
from heimdall.models.transfer.partials import claim
from tests.support.small_model import SmallModel

QUICK = settings(max_examples=60)

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.just(10**400)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        [
            "..",
            "/",
            "a/../b",
            ".store/blobs/x",
            "\0",
            "\ud800",
            "x" * 300,
            "2 > 1",
            "python_version",
        ]
    )
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
texts = (
    st.binary(max_size=200)
    | values.map(lambda value: json.dumps(value).encode())
    | st.sampled_from(
        [
            b"[" * 100_000,
            b'{"a":' * 100_000,
            b"9" * 5000,
            b'{"time": 1' + b"0" * 400 + b"}",
            b"\xff\xfe",
        ]
    )
)


def places(document: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """The paths of all values inside a JSON document."""
    found = [path] if path else []
    if isinstance(document, dict):
        found += [place for key, value in document.items() for place in places(value, (*path, key))]
    if isinstance(document, list):
        found += [
            place for key, value in enumerate(document) for place in places(value, (*path, key))
        ]
    return found


def changed(document: Any, path: tuple[Any, ...], value: object) -> Any:
    """The document with another value in that place; `...` removes it."""
    copy = json.loads(json.dumps(document))
    target = copy
    for key in path[:-1]:
        target = target[key]
    if value is ...:
        del target[path[-1]]
    else:
        target[path[-1]] = value
    return copy


def import_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `import heimdall` does."""
    monkeypatch.setenv("HEIMDALL_FETCH", "import")
    logging.getLogger("heimdall").disabled = True
    try:
        first_import.provide_models_on_import()
    finally:
        logging.getLogger("heimdall").disabled = False


@QUICK
@given(data=st.data())
def test_a_manifest_with_anything_in_it(
    mirror: SmallModel, manifest_path: Path, monkeypatch: pytest.MonkeyPatch, data: st.DataObject
) -> None:
    monkeypatch.setenv("HEIMDALL_SOURCES", "index")  # nothing is fetched: this is about reading
    document = json.loads(mirror.manifest.dumps())
    if data.draw(st.booleans(), label="wholly"):
        manifest_path.write_bytes(data.draw(texts))
    else:
        path = data.draw(st.sampled_from(places(document)))
        manifest_path.write_text(
            json.dumps(changed(document, path, data.draw(values | st.just(...))))
        )
    with contextlib.suppress(ManifestError):
        model = read_model()
        for file in model.files:
            assert ".." not in file.path.split("/")
            assert not file.path.startswith(("/", ".store"))
            assert file.content is None or len(file.content) == file.size
    monkeypatch.setenv("HEIMDALL_OFFLINE", "1")
    import_now(monkeypatch)


@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "/x",
        "a//b",
        ".store/blobs/x",
        ".STORE/x",
        ".store",
        "model.safetensors/x",
        "tokenizer",
        "NET.onnx",
    ],
)
def test_a_path_that_leads_elsewhere_or_clashes(
    mirror: SmallModel, manifest_path: Path, path: str
) -> None:
    document = json.loads(mirror.manifest.dumps())
    document["models"][0]["files"][-1 if path != "tokenizer" else 0]["path"] = path
    manifest_path.write_text(json.dumps(document))
    with pytest.raises(ManifestError, match="damaged"):
        read_model()


@pytest.mark.slow
@QUICK
@given(content=texts, extra=values)
def test_a_receipt_with_anything_in_it(
    mirror: SmallModel, pinned: PinnedModel, models_dir: Path, content: bytes, extra: object
) -> None:
    tree = resolve_in_detail().directory
    receipt = tree.parent / receipts.RECEIPT
    right = json.loads(receipt.read_text())
    for damaged in (
        content,
        json.dumps({**right, "stats": extra}).encode(),
        json.dumps({**right, "pins": extra}).encode(),
    ):
        receipt.write_bytes(damaged)
        assert not StoredSet(str(models_dir), pinned.entry).is_verified()
        assert resolve_in_detail().directory == tree
        mirror.assert_tree(tree)
        assert json.loads(receipt.read_text()) == right


@QUICK
@given(
    content=texts
    | st.dictionaries(st.sampled_from(["manifest", "set"]), values).map(
        lambda note: json.dumps(note).encode()
    )
)
def test_a_users_note_with_anything_in_it_keeps_the_set(
    mirror: SmallModel, pinned: PinnedModel, models_dir: Path, content: bytes
) -> None:
    tree = resolve_in_detail().directory
    Path(StoredSet(str(models_dir), pinned.entry).user_note(locations.manifest_path())).write_bytes(
        content
    )
    (verdict,) = [verdict for verdict in judge(Store(models_dir)) if verdict.kind == "set"]
    assert verdict.path == tree.parent
    assert verdict.keep or "is gone" in verdict.reason


@QUICK
@given(content=texts)
def test_notes_of_users_and_failures_with_anything_in_them(
    mirror: SmallModel,
    pinned: PinnedModel,
    models_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes,
) -> None:
    store = Store(models_dir)
    store.prepare()
    note = Path(StoredSet(str(models_dir), pinned.entry).user_note(locations.manifest_path()))
    for path in (note, store.failures / "import.json"):
        path.write_bytes(content)
    ago = quiet_fetch.seconds_since_failure(store.failures / "import.json", Settings())
    assert ago is None or 0 <= ago < quiet_fetch.REMEMBERED_SECONDS
    import_now(monkeypatch)
    mirror.assert_tree(resolve_in_detail().directory)


names = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), max_size=30)


@QUICK
@given(name=names, kind=st.sampled_from(["file", "folder", "link", "dangling", "second name"]))
def test_partial_files_with_any_name_and_of_any_kind(
    tmp_path_factory: pytest.TempPathFactory, name: str, kind: str
) -> None:
    directory = tmp_path_factory.mktemp("partial")
    outside = directory / "outside"
    outside.write_bytes(b"not ours")
    for stem in (f"key.{name}", f"key.free-{name}", f"key.host.{'9' * 40}-{name}"):
        path = directory / f"{stem}.part"
        match kind:
            case "file":
                path.write_bytes(b"part")
            case "folder":
                path.mkdir(exist_ok=True)
            case "link":
                path.symlink_to(outside)
            case "dangling":
                path.symlink_to("nowhere")
            case "second name":
                path.hardlink_to(outside)
    with claim(directory, "key") as partial:
        assert partial.size in {0, 4}
        partial.restart()
        partial.append(b"new")
    assert outside.read_bytes() == b"not ours"
    assert not (directory / "nowhere").exists()


@given(
    st.text()
    | st.from_regex(r"\w{3}, \d\d \w{3} \d{1,6} \d\d:\d\d:\d\d [+-]\d{4}")
    | st.integers(0, 10**400).map(str)
)
def test_retry_after(value: str) -> None:
    seconds = retry_after_seconds(value)
    assert seconds is None or seconds >= 0


@given(st.text(max_size=5000))
def test_what_a_server_says_can_not_move_a_cursor(text: str) -> None:
    reason = SourceError(text).reason
    assert reason.isprintable()
    assert len(reason) < 2100
