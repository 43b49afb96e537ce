"""Cold fetch of the real model over loopback, against shell tools, huggingface_hub and pooch."""

from __future__ import annotations

import compileall
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hatch_heimdall_models.lock import read_manifest
from hatch_heimdall_models.manifest import Asset, Model
from release.github_standin.files import file_response, find
from release.github_standin.listener import Listener
from release.github_standin.messages import Request, Response
from tests.benchmarks.pairs import Contestant, compare
from tests.support.nginx import nginx_mirror
from tests.support.real_model import DIRECTORY, ROOT
from tests.support.small_model import Installation

# Away from the checkout, whose own model would be taken instead.
_OURS = """
import os
os.chdir(os.environ["HOME"])
import heimdall.models.fetch, heimdall.models.resolver
began = time.perf_counter()
delivered = heimdall.models.resolver.resolve_in_detail().sources
assert delivered == ("mirror",), delivered
"""
_HUB = """
from huggingface_hub import hf_hub_download
began = time.perf_counter()
hf_hub_download("owner/model", "model.safetensors")
"""
_POOCH = """
import pooch
began = time.perf_counter()
pooch.retrieve(sys.argv[1], "sha256:" + sys.argv[2], path=sys.argv[3], processor=pooch.Unzip())
"""


def run(rounds: int = 7) -> None:
    """Print medians and ratios. Needs `make release-assets`, nginx, curl and unzip."""
    asset = _standard().asset
    with (
        tempfile.TemporaryDirectory() as directory,
        nginx_mirror(ROOT / "dist" / "models") as mirror,
        hub_of(
            DIRECTORY,
            next(file.sha256 for file in _standard().files if file.path == "model.safetensors"),
        ) as hub,
    ):
        top = Path(directory)
        pinned = read_manifest(ROOT / "models.lock.json")
        site = Installation.pinning(top / "site", pinned, patient=False).site
        compileall.compile_dir(site, quiet=2)  # as pip does
        title = f"Cold fetch of {asset.size / 1e6:.0f} MB over loopback"
        compare(
            f"{title}, whole processes",
            _contestants(top, mirror.url, hub, asset, alone=False),
            rounds,
        )
        compare(
            f"{title}, without Python's start and imports",
            _contestants(top, mirror.url, hub, asset, alone=True),
            rounds,
        )


def _contestants(
    top: Path, mirror: str, hub: str, asset: Asset, *, alone: bool
) -> list[Contestant]:
    url = f"{mirror}/{asset.tag}/{asset.name}"
    archive, unzipped = top / "a.zip", top / "unzipped"
    shell = (
        f"curl -sS -o {archive} {shlex.quote(url)} && echo '{asset.sha256}  {archive}' | sha256sum -c - && "
        f"unzip -q {archive} -d {unzipped} && rm {archive}"
    )
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("HEIMDALL_", "XDG_", "HF_"))
    }
    own |= {"HOME": str(top)}
    ours = own | {
        "PYTHONPATH": str(top / "site"),
        "HEIMDALL_DATA_DIR": str(top / "shared"),
        "HEIMDALL_MODELS_MIRROR": mirror,
        "HEIMDALL_SOURCES": "mirror",
        "HEIMDALL_FETCH": "use",
    }
    theirs = own | {"HF_ENDPOINT": hub, "HF_HOME": str(top / "hf"), "HF_HUB_DISABLE_XET": "1"}

    def clean() -> None:
        for name in ("shared", "unzipped", "hf", "pooch"):
            shutil.rmtree(top / name, ignore_errors=True)
        os.sync()  # nobody waits for what another one wrote

    def python(name: str, code: str, environment: dict[str, str], *arguments: str) -> Contestant:
        report = "print(time.perf_counter() - began)" if alone else ""
        program = f"import sys, time\n{code}\n{report}"
        return Contestant(
            name, [sys.executable, "-c", program, *arguments], environment, clean, reports=alone
        )

    return [
        python("heimdall (download, verify, publish)", _OURS, ours),
        Contestant("curl && sha256sum && unzip", ["sh", "-c", shell], own, clean),
        python("huggingface_hub (weights alone, not verified)", _HUB, theirs),
        python(
            "pooch (sha256 of the zip, unzip)", _POOCH, own, url, asset.sha256, str(top / "pooch")
        ),
    ]


def _standard() -> Model:
    return next(
        model
        for model in read_manifest(ROOT / "models.lock.json").models
        if model.variant == "standard"
    )


@contextmanager
def hub_of(directory: Path, sha256: str) -> Iterator[str]:
    """A folder's files as Hugging Face serves them, by the headers that its client wants; with the sha256 of the one that is asked for."""

    def application(request: Request) -> Response:
        file = find(directory, request.path.rpartition("/")[2])
        if file is None:
            return Response.text(404, "not found\n", "text/plain")
        headers = {
            "X-Repo-Commit": "0" * 40,
            "ETag": f'"{sha256}"',
            "Content-Type": "application/octet-stream",
        }
        return file_response(request, file, headers=headers)

    with Listener("hub", application) as listener:
        yield listener.url


if __name__ == "__main__":
    os.chdir(ROOT)
    run()
