"""How others who ship models over the network failed, and that heimdall does not: each test fails on the naive way."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from heimdall.models import receipts
from tests.support.faults import Delay, Drip, Fault, IgnoreRange, Instead, WrongBytes
from tests.support.places import DATA
from tests.support.raw_server import endlessly, raw_server
from tests.support.servers import RunningServer, github, plain_mirror
from tests.support.small_model import Installation, SmallModel

pytestmark = pytest.mark.slow

PULL = ("-m", "heimdall", "models", "pull")


def from_mirror(*servers: RunningServer, **variables: str) -> dict[str, str]:
    urls = ",".join(server.url for server in servers)
    return {"HEIMDALL_MODELS_MIRROR": urls, "HEIMDALL_SOURCES": "mirror", **variables}


def store_of(home: Path) -> Path:
    return home / DATA / "models/.store"


def patch_flock(installation: Installation, body: str) -> None:
    """Let the system's lock behave as it does on a network filesystem."""
    (installation.site / "sitecustomize.py").write_text(
        f"import fcntl\ndef flock(*_):\n    {body}\nfcntl.flock = flock\n"
    )


def pull_together(
    installation: Installation, count: int, variables: dict[str, str]
) -> list[tuple[int, str, str]]:
    processes = [installation.start(*PULL, **variables) for _ in range(count)]
    said = [process.communicate(timeout=900) for process in processes]
    return [(process.returncode, *text) for process, text in zip(processes, said, strict=True)]


def test_1_a_command_that_needs_no_model_fetches_none(
    installation: Installation, tmp_path: Path
) -> None:
    """awslabs/mcp#1086, doobidoo/mcp-memory-service#561: a server that loads or downloads before its handshake is
    killed by its client after 10 to 60 seconds."""
    server_script = tmp_path / "heimdall-mcp"
    server_script.write_text("from _heimdall_commands import heimdall_mcp; heimdall_mcp()\n")
    with raw_server(endlessly(b"", b"", 0.1)) as silent:
        variables = {
            "HEIMDALL_MODELS_MIRROR": silent.url,
            "HEIMDALL_SOURCES": "mirror",
            "HEIMDALL_FETCH": "import",
        }
        for arguments in (
            ("-m", "heimdall", "--help"),
            ("-m", "heimdall", "dirs"),
            (str(server_script),),
        ):
            assert installation.run(*arguments, **variables).returncode == 0
        assert installation.heimdall("models", "status", **variables).returncode == 1
        assert silent.heads == []


def test_2_locks_that_everybody_gets(
    installation: Installation, small: SmallModel, home: Path
) -> None:
    """huggingface_hub#4228: on Lustre, GPFS and NFS every caller got the flock, and all appended to one file."""
    patch_flock(installation, "return None")
    with plain_mirror(small.directory, faults=[Fault(Drip(400_000))]) as server:
        ended = pull_together(installation, 4, from_mirror(server))
        assert len(server.requests.settled()) > 1, "they did work at the same time"
    for code, stdout, stderr in ended:
        assert code == 0, stderr
        small.assert_tree(Path(stdout.splitlines()[1]))
    small.assert_tree(home / DATA / "models")
    assert not list((store_of(home) / "partial").iterdir())


def test_3_an_orphaned_lock_is_not_waited_for_for_ever(
    installation: Installation, small: SmallModel, home: Path
) -> None:
    """huggingface_hub#2543: waits for ever on the lock of a process that does nothing any more."""
    pytest.importorskip("fcntl")
    lock = (
        store_of(home) / "locks" / f"{receipts.set_name(small.manifest.models[0].as_json())}.lock"
    )
    lock.parent.mkdir(parents=True)
    hold = "import fcntl, os, signal, sys; held = open(sys.argv[1], 'w'); fcntl.flock(held, 2); os.kill(os.getpid(), signal.SIGSTOP)"
    holder = subprocess.Popen([sys.executable, "-c", hold, str(lock)])
    try:
        os.waitpid(holder.pid, os.WUNTRACED)
        variables = {
            "HEIMDALL_MODELS_MIRROR": small.mirror,
            "HEIMDALL_SOURCES": "mirror",
            "HEIMDALL_LOCK_TIMEOUT": "0.5",
        }
        done = installation.heimdall("models", "pull", **variables)
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert done.returncode == 0, done.stderr
    assert f"still locked after 0.5 s: {lock}, held by " in done.stderr


@pytest.mark.parametrize("name", ["EBADF", "ENOSYS", "ENOLCK", "EOPNOTSUPP", "EIO"])
def test_4_locks_that_are_refused(installation: Installation, small: SmallModel, name: str) -> None:
    """uv#18061, #18073: flock on NFSv4 gives EBADF, or both sides hold it."""
    patch_flock(installation, f"import errno; raise OSError(errno.{name}, 'refused')")
    variables = {"HEIMDALL_MODELS_MIRROR": small.mirror, "HEIMDALL_SOURCES": "mirror"}
    done = installation.heimdall("models", "pull", **variables)
    assert done.returncode == 0, done.stderr
    assert "can't lock " in done.stderr
    assert "refused); going on without" in done.stderr
    small.assert_tree(Path(done.stdout.splitlines()[1]))


def test_5_a_200_to_a_range_is_no_continuation(
    installation: Installation, small: SmallModel, home: Path
) -> None:
    """huggingface_hub#3778: asked with `Accept-Encoding: gzip`, a CDN answered a Range with 200, and it was appended."""
    part = store_of(home) / "partial" / f"{small.manifest.models[0].asset.sha256}.free-0.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(small.asset_path.read_bytes()[:50_000])
    zipped = Instead(200, b"\x1f\x8b", {"Content-Encoding": "gzip"})
    with (
        plain_mirror(small.directory, faults=[Fault(zipped)]) as encoding,
        plain_mirror(small.directory, faults=[Fault(IgnoreRange())]) as ignoring,
    ):
        done = installation.heimdall("models", "pull", **from_mirror(encoding, ignoring))
        requests = [*encoding.requests.found(), *ignoring.requests.found()]
    assert done.returncode == 0, done.stderr
    small.assert_tree(Path(done.stdout.splitlines()[1]))
    assert [(request.range, request.headers["accept-encoding"]) for request in requests] == [
        ("bytes=50000-", "identity")
    ] * 3


def test_6_right_size_and_wrong_bytes_are_no_success(
    installation: Installation, small: SmallModel, home: Path
) -> None:
    """huggingface_hub#3643: the size was right, the bytes were not, and it was reported as a success."""
    with plain_mirror(small.directory, faults=[Fault(WrongBytes(200_000))]) as server:
        done = installation.heimdall("models", "pull", **from_mirror(server))
    assert (done.returncode, done.stdout) == (2, "")
    assert "wrong bytes for models-v1.zip: expected" in done.stderr
    assert not [*(store_of(home) / "sets").iterdir(), *(store_of(home) / "partial").iterdir()]


@pytest.mark.parametrize("lost", ["model.safetensors", "tokenizer", "."])
def test_7_what_a_cleaner_removed_comes_back(
    installation: Installation, small: SmallModel, home: Path, lost: str
) -> None:
    """fastembed#127, #569: a cache below the temporary directory and checks for existence: NO_SUCHFILE for ever."""
    variables = {
        "HEIMDALL_MODELS_MIRROR": small.mirror,
        "HEIMDALL_SOURCES": "mirror",
        "TMPDIR": str(home / "tmp"),
    }
    tree = Path(installation.heimdall("models", "pull", **variables).stdout.splitlines()[1])
    assert not (home / "tmp").exists()
    (tree / lost).rename(home / "removed")
    again = installation.heimdall("models", "pull", **variables)
    assert again.returncode == 0, again.stderr
    small.assert_tree(Path(again.stdout.splitlines()[1]))


def test_8_a_place_of_ones_own_and_patience_with_a_scanner(
    installation: Installation, small: SmallModel, home: Path, tmp_path: Path
) -> None:
    """chroma#1962, #2910: the home directory was hard-coded, and a company's scanner took longer than the 5 seconds
    that stood for connecting and for reading alike."""
    with plain_mirror(small.directory, faults=[Fault(Delay(5.5))]) as server:
        done = installation.heimdall(
            "models", "pull", **from_mirror(server, HEIMDALL_DATA_DIR=str(tmp_path / "mine"))
        )
    assert done.returncode == 0, done.stderr
    small.assert_tree(tmp_path / "mine" / "models")
    assert not list(home.iterdir())


def test_9_a_token_goes_to_its_host_alone(
    installation: Installation, small: SmallModel, home: Path
) -> None:
    """octokit/core.js#415, mise#10713: a 400 when Authorization followed the redirect, an asset host that was renamed,
    a netrc entry that took the token's place."""
    (home / ".netrc").write_text("default login somebody password else\n")
    (home / ".netrc").chmod(0o600)
    with github(small.directory, repository="owner/repository", token="t0ken") as server:
        variables = {
            "HEIMDALL_GITHUB_URL": server.url,
            "HEIMDALL_SOURCES": "github",
            "GITHUB_TOKEN": "t0ken",
        }
        done = installation.heimdall("models", "pull", **variables)
        records = [
            (record.host, record.authorized, record.status) for record in server.requests.settled()
        ]
    assert done.returncode == 0, done.stderr
    assert records == [("web", True, 302), ("assets", False, 200)]
    assert "t0ken" not in done.stderr


def test_10_no_api_with_a_limit_is_asked(installation: Installation, small: SmallModel) -> None:
    """pytorch#64760, spaCy#13690: 403 and 429 in CI, from GitHub's API limit of 60 requests an hour and address."""
    limited = [Fault(Instead(403), path=path) for path in ("/api/*", "/repos/*")]
    with github(small.directory, repository="owner/repository", faults=limited) as server:
        done = installation.heimdall(
            "models", "pull", HEIMDALL_GITHUB_URL=server.url, HEIMDALL_SOURCES="github"
        )
        asked = [record.path for record in server.requests.settled() if record.host == "web"]
    assert done.returncode == 0, done.stderr
    assert asked == [f"/owner/repository/releases/download/v1/{small.asset_path.name}"]


def test_11_another_installation_takes_nothing_away(
    installation: Installation, small: SmallModel, tmp_path: Path
) -> None:
    """playwright#40995: installing one project's browsers deleted another's."""
    newer = SmallModel(
        tmp_path / "newer", {**small.files, "model.safetensors": bytes(200_000)}, tag="v2"
    )
    other = Installation.make(tmp_path / "other", newer)
    sources = {"HEIMDALL_SOURCES": "mirror"}
    tree = Path(
        installation.heimdall(
            "models", "pull", HEIMDALL_MODELS_MIRROR=small.mirror, **sources
        ).stdout.split("\n")[1]
    )
    assert (
        other.heimdall("models", "pull", HEIMDALL_MODELS_MIRROR=newer.mirror, **sources).returncode
        == 0
    )
    small.assert_tree(tree)
    offline = installation.heimdall("models", "pull", HEIMDALL_OFFLINE="1")
    assert offline.stdout == f"small (standard): was here already, verified\n{tree}\n"


def test_12_together_without_a_question_and_with_real_exit_codes(
    installation: Installation, small: SmallModel, tmp_path: Path
) -> None:
    """nltk#3248, espnet#6665: BadZipFile where several unpacked together, a "Retry?" that stopped CI, and exit code 0
    on failure."""
    with plain_mirror(small.directory, faults=[Fault(Drip(800_000))]) as server:
        ended = pull_together(installation, 4, from_mirror(server))
        assert [record.status for record in server.requests.found()] == [200], (
            "one download for all"
        )
    for code, stdout, stderr in ended:
        assert code == 0, stderr
        small.assert_tree(Path(stdout.splitlines()[1]))
    asset = small.asset_path
    asset.write_bytes(asset.read_bytes()[:-1000])
    other = {
        "HEIMDALL_MODELS_MIRROR": small.mirror,
        "HEIMDALL_SOURCES": "mirror",
        "HOME": str(tmp_path / "another"),
    }
    with subprocess.Popen(
        [sys.executable, *PULL],
        env=installation.environment(**other),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as asked:  # its stdin stays open: who asks a question waits for ever
        assert asked.wait(timeout=900) == 2


def test_also_what_one_user_fetched_another_can_read(
    installation: Installation, small: SmallModel, home: Path
) -> None:
    """huggingface_hub#1141: files made as private temporary files stayed private in shared caches."""
    previous = os.umask(0o022)
    try:
        installation.heimdall(
            "models", "pull", HEIMDALL_MODELS_MIRROR=small.mirror, HEIMDALL_SOURCES="mirror"
        )
    finally:
        os.umask(previous)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in store_of(home).parent.rglob("*")}
    assert modes == {0o755, 0o644}
