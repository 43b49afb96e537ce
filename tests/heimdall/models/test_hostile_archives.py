"""The pinned asset itself is hostile: a release that went wrong, or was made to."""

from __future__ import annotations

import stat
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from heimdall.models.resolver import resolve_in_detail
from tests.support.servers import plain_mirror
from tests.support.small_model import SmallModel

pytestmark = pytest.mark.slow

WEIGHTS = "models/model.safetensors"


def with_member(
    name: str, mode: int = stat.S_IFREG | 0o644, content: bytes = b"evil"
) -> Callable[[SmallModel], None]:
    def make(small: SmallModel) -> None:
        info = zipfile.ZipInfo(name)
        info.create_system, info.external_attr = 3, mode << 16
        with warnings.catch_warnings(), zipfile.ZipFile(small.asset_path, "a") as archive:
            warnings.simplefilter("ignore")  # zipfile's own, about duplicates
            archive.writestr(info, content)

    return make


def of_weights(content: bytes, method: int = zipfile.ZIP_DEFLATED) -> Callable[[SmallModel], None]:
    def make(small: SmallModel) -> None:
        with zipfile.ZipFile(small.asset_path, "w", method) as archive:
            for path, right in small.files.items():
                archive.writestr(
                    f"models/{path}", content if f"models/{path}" == WEIGHTS and content else right
                )

    return make


def without_weights(small: SmallModel) -> None:
    with zipfile.ZipFile(small.asset_path, "w") as archive:
        archive.writestr("models/tokenizer/tokenizer.json", small.files["tokenizer/tokenizer.json"])


def no_archive(small: SmallModel) -> None:
    small.asset_path.write_bytes(b"this is no zip archive")


def cut_short(small: SmallModel) -> None:
    small.asset_path.write_bytes(small.asset_path.read_bytes()[:-100])


def encrypted(small: SmallModel) -> None:
    """The flag in both headers of every member, which is what a reader goes by."""
    content = bytearray(small.asset_path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        position = content.find(signature)
        while position >= 0:
            content[position + offset] |= 1
            position = content.find(signature, position + 4)
    small.asset_path.write_bytes(content)


def broken_deflate(small: SmallModel) -> None:
    of_weights(b"")(small)
    content = bytearray(small.asset_path.read_bytes())
    with zipfile.ZipFile(small.asset_path) as archive:
        offset = archive.getinfo(WEIGHTS).header_offset + 30 + len(WEIGHTS)
    content[offset : offset + 64] = b"\xff" * 64
    small.asset_path.write_bytes(content)


def lying_size(small: SmallModel) -> None:
    """A bomb whose headers tell the pinned size."""
    of_weights(bytes(50_000_000))(small)
    size = len(small.files["model.safetensors"]).to_bytes(4, "little")
    small.asset_path.write_bytes(
        small.asset_path.read_bytes().replace((50_000_000).to_bytes(4, "little"), size)
    )


ARCHIVES: dict[str, tuple[Callable[[SmallModel], None], str]] = {
    **{
        f"extra: {name!r}": (with_member(name), "is none of the pinned files; refused")
        for name in (
            *("models/../../../evil", "models/about/../evil", "/etc/evil", "C:/evil", "evil"),
            *("models/evil.py", "models\\evil", "\0evil without a name", "other/"),
        )
    },
    "linked": (
        with_member("models/about/x", stat.S_IFLNK | 0o777, b"/etc/passwd"),
        "is a link or special file",
    ),
    "a device": (with_member("models/about/x", stat.S_IFCHR | 0o666), "is a link or special file"),
    "a pipe": (with_member("models/about/x", stat.S_IFIFO | 0o600), "is a link or special file"),
    "duplicate": (with_member(WEIGHTS), "is there twice; refused"),
    "colliding": (with_member(WEIGHTS.upper()), "is there twice; refused"),
    "encrypted": (encrypted, "is encrypted; refused"),
    "missing": (without_weights, f"lacks the member {WEIGHTS}"),
    "bomb": (of_weights(bytes(50_000_000)), "has 50000000 bytes, expected 300000; refused"),
    "bomb that lies": (lying_size, "is not a sound zip archive"),
    **{
        f"inflated without a bound: {method}": (
            of_weights(b"", method),
            f"is compressed by method {method}; refused",
        )
        for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    },
    "wrong content": (of_weights(bytes(300_000)), "model.safetensors: expected sha256"),
    "broken deflate": (broken_deflate, "is not a sound zip archive"),
    "cut short": (cut_short, "is not a sound zip archive"),
    "no archive": (no_archive, "is not a sound zip archive"),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_nothing_of_it_gets_out_and_the_next_source_delivers(
    name: str,
    small: SmallModel,
    manifest_path: Path,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    make, reason = ARCHIVES[name]
    make(small)
    files = small.lay_out(tmp_path / "files")
    with plain_mirror(files) as upstream:
        small.also = {path: (f"{upstream.url}/{path}",) for path in small.files}
        small.write_manifest(manifest_path)
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", small.mirror)
        monkeypatch.setenv("HEIMDALL_SOURCES", "mirror,huggingface")
        before = {*tmp_path.rglob("*")}
        resolution = resolve_in_detail()
    assert resolution.sources == ("huggingface",)
    stderr = capfd.readouterr().err
    (line,) = [line for line in stderr.splitlines() if "trying the next source" in line]
    assert line.startswith(f"heimdall: mirror: {small.asset_path}: {small.asset_path.name}: ")
    assert reason in line
    small.assert_tree(resolution.directory)
    assert {*tmp_path.rglob("*")} == before
    assert not list(home.rglob("*evil*"))
