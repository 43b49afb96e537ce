"""What a machine can do to the resolver, on the real thing: full and read-only disks, rights, clocks, closed streams."""

from __future__ import annotations

import contextlib
import os
import pickle
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from heimdall.models.errors import StoreError
from heimdall.models.space import explained
from tests.support.capabilities import needs_removal, needs_users, program
from tests.support.faults import Fault, HoldAfter
from tests.support.filesystems import remount, tmpfs
from tests.support.other_user import other_users
from tests.support.places import DATA
from tests.support.servers import plain_mirror
from tests.support.small_model import Installation, SmallModel, from_mirror, noise
from tests.support.trees import largest
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow


def refused(done: subprocess.CompletedProcess[str], *parts: str) -> None:
    """It ended with exit code 2 and one clear message."""
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert "Traceback" not in done.stderr
    for part in parts:
        assert part in done.stderr


def fill(disk: Path, left: int) -> None:
    """Leave so many bytes."""
    with (disk / "ballast").open("wb", buffering=0) as ballast:
        with contextlib.suppress(OSError):
            while ballast.write(bytes(4096)):
                pass
        ballast.truncate(max(0, ballast.tell() - left))


def test_too_little_space_is_said_before_the_first_byte(
    installation: Installation, small: SmallModel, tmp_path: Path
) -> None:
    with tmpfs(tmp_path / "disk", "size=600k") as disk, plain_mirror(small.directory) as server:
        variables = from_mirror(server.url)
        done = installation.heimdall(
            "models", "pull", HEIMDALL_DATA_DIR=str(disk / "data"), **variables
        )
        assert not server.requests.settled()
    refused(done, f"too little space in {disk}", "make room for", "HEIMDALL_DATA_DIR")


@pytest.mark.parametrize("left", [0, 10_000, 200_000, 400_000, 500_000])
def test_a_disk_that_fills_up_meanwhile(
    installation: Installation, small: SmallModel, tmp_path: Path, left: int
) -> None:
    with tmpfs(tmp_path / "disk", "size=8m") as disk:
        held = HoldAfter(10_000)
        with plain_mirror(small.directory, faults=[Fault(held, path="/v1/*")]) as server:
            variables = {"HEIMDALL_DATA_DIR": str(disk / "data"), **from_mirror(server.url)}
            process = installation.start("-m", "heimdall", "models", "pull", **variables)
            partial = disk / "data/models/.store/partial"
            wait_until(lambda: largest(partial, "*.part") >= held.size, process)
            fill(disk, left)
            held.go.set()
            stdout, stderr = process.communicate(timeout=900)
            done = subprocess.CompletedProcess([], process.returncode, stdout, stderr)
            assert done.returncode == 2, "for the archive and its files together it is never enough"
            refused(done, "No space left on device", "make room there")
            assert not list(disk.glob("data/models/.store/sets/*/receipt.json"))
            (disk / "ballast").unlink()
            server.faults.clear()
            again = installation.heimdall("models", "pull", **variables)
        assert again.returncode == 0, again.stderr
        small.assert_tree(Path(again.stdout.splitlines()[1]))
        small.assert_tree(disk / "data" / "models")


def test_out_of_inodes(installation: Installation, mirror: SmallModel, tmp_path: Path) -> None:
    for inodes in range(12, 26, 3):
        with tmpfs(tmp_path / f"disk{inodes}", f"nr_inodes={inodes}") as disk:
            done = installation.heimdall("models", "pull", HEIMDALL_DATA_DIR=str(disk / "data"))
            if done.returncode:
                refused(done, "No space left on device")
            else:
                mirror.assert_tree(Path(done.stdout.splitlines()[1]))


def test_a_read_only_filesystem_serves_what_it_has(
    installation: Installation, mirror: SmallModel, tmp_path: Path
) -> None:
    with tmpfs(tmp_path / "disk", "size=8m") as disk:
        variables = {"HEIMDALL_DATA_DIR": str(disk / "data")}
        remount(disk, "ro")
        refused(
            installation.heimdall("models", "pull", **variables),
            "Read-only file system",
            "HEIMDALL_DATA_DIR",
        )
        imported = installation.import_heimdall(**variables)
        assert (imported.returncode, imported.stdout) == (0, "")
        assert imported.stderr.count("Read-only file system") == 1
        remount(disk, "rw")
        tree = Path(installation.heimdall("models", "pull", **variables).stdout.splitlines()[1])
        os.utime(tree / "model.safetensors")  # as a copy into an image does
        remount(disk, "ro")
        touched = installation.heimdall("models", "pull", **variables)
        assert (touched.returncode, touched.stdout.splitlines()[1]) == (0, str(tree)), (
            touched.stderr
        )
        remount(disk, "rw")
        (tree / "model.safetensors").write_bytes(b"damage")
        remount(disk, "ro")
        refused(installation.heimdall("models", "pull", **variables), "Read-only file system")


def test_without_hard_links(installation: Installation, mirror: SmallModel, home: Path) -> None:
    """The interpreter's own audit hook refuses links, as many filesystems do."""
    hook = "import sys\ndef hook(event, _):\n    if event == 'os.link': raise PermissionError(1, 'no links here')\n"
    (installation.site / "sitecustomize.py").write_text(f"{hook}sys.addaudithook(hook)\n")
    done = installation.heimdall("models", "pull")
    assert done.returncode == 0, done.stderr
    tree = Path(done.stdout.splitlines()[1])
    mirror.assert_tree(tree)
    assert (tree / "model.safetensors").stat().st_nlink == 1
    assert installation.heimdall("models", "pull").stdout.startswith(
        "small (standard): was here already"
    )
    assert installation.heimdall("models", "verify").returncode == 0
    (tree / "model.safetensors").write_bytes(b"damage")
    assert installation.heimdall("models", "verify", "--repair").returncode == 0
    mirror.assert_tree(tree)


def test_an_input_output_error_is_named(installation: Installation, mirror: SmallModel) -> None:
    hook = "import sys\ndef hook(event, a):\n    if event == 'os.rename' and 'blobs' in str(a[1]): raise OSError(5, 'Input/output error', str(a[1]))\n"
    (installation.site / "sitecustomize.py").write_text(f"{hook}sys.addaudithook(hook)\n")
    refused(
        installation.heimdall("models", "pull"),
        "Input/output error (",
        f"{os.sep}blobs{os.sep}",
        "HEIMDALL_DATA_DIR",
    )


def test_a_home_of_roots(installation: Installation, mirror: SmallModel, tmp_path: Path) -> None:
    user, _ = other_users()
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    environment = installation.environment(HOME=str(home), PYTHONDONTWRITEBYTECODE="1")
    pull = [sys.executable, "-m", "heimdall", "models", "pull"]
    refused(
        user.run(pull, environment),
        "Permission denied",
        f"{home} belongs to root",
        "chown",
        "HEIMDALL_DATA_DIR",
    )
    imported = user.run([sys.executable, "-c", "import heimdall"], environment)
    assert imported.returncode == 0
    assert imported.stderr.count("Permission denied") == 1


def test_what_root_fetched_serves_a_user_and_is_said_to_be_roots_when_it_is_damaged(
    installation: Installation, mirror: SmallModel, tmp_path: Path
) -> None:
    user, _ = other_users()
    environment = installation.environment(HOME=str(tmp_path / "home"), PYTHONDONTWRITEBYTECODE="1")
    pull = [sys.executable, "-m", "heimdall", "models", "pull"]
    tree = Path(
        subprocess.run(
            pull, env=environment, capture_output=True, encoding="utf-8", check=True
        ).stdout.splitlines()[1]
    )
    used = user.run(pull, environment)
    assert used.stdout == f"small (standard): was here already, verified\n{tree}\n", used.stderr
    os.utime(tree / "model.safetensors")
    assert user.run(pull, environment).returncode == 0, "it is as good once it is hashed"
    (tree / "model.safetensors").write_bytes(b"damage")
    refused(user.run(pull, environment), "Permission denied", "belongs to root")


def test_a_directory_shared_by_a_group(
    installation: Installation, small: SmallModel, tmp_path: Path
) -> None:
    """setgid and umask 002: what one user's process left behind, the next one's continues, repairs and replaces."""
    first, second = other_users()
    shared = tmp_path / "shared"
    shared.mkdir()
    os.chown(shared, 0, first.gid)
    shared.chmod(0o2775)
    pull = [sys.executable, "-m", "heimdall", "models", "pull"]
    held = HoldAfter(50_000)
    with plain_mirror(small.directory, faults=[Fault(held, path="/v1/*", turns={1})]) as server:
        environment = installation.environment(
            HEIMDALL_DATA_DIR=str(shared / "heimdall"),
            **from_mirror(server.url),
            PYTHONDONTWRITEBYTECODE="1",
        )
        killed = subprocess.Popen(
            first.command(*pull, umask="002"),
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        partial = shared / "heimdall/models/.store/partial"
        wait_until(lambda: largest(partial, "*.part") >= held.size, killed)
        killed.kill()
        killed.wait()
        held.go.set()
        done = second.run(pull, environment, umask="002")
        assert done.returncode == 0, done.stderr
        assert "continuing after" in done.stderr
        assert "can't lock" not in done.stderr
        tree = Path(done.stdout.splitlines()[1])
        small.assert_tree(tree)
        (tree / "model.safetensors").write_bytes(noise(300_000, seed=9))
        repair = first.run([*pull[:-1], "verify", "--repair"], environment, umask="002")
        assert repair.returncode == 0, repair.stderr
        small.assert_tree(tree)
        small.assert_tree(shared / "heimdall" / "models")
    modes: dict[int, set[str]] = {}
    for path in (shared / "heimdall").rglob("*"):
        modes.setdefault(path.stat().st_mode & 0o7777, set()).add(path.name)
    assert all(name.endswith(".log") for name in modes.pop(0o600))
    assert modes.keys() == {0o2775, 0o755, 0o664, 0o644}
    assert modes[0o755] == {tree.parent.name}
    assert modes[0o644] >= {"receipt.json", "model.safetensors"}


def test_a_part_that_can_not_be_opened_is_left_alone(
    installation: Installation, small: SmallModel, tmp_path: Path
) -> None:
    user, _ = other_users()
    shared = tmp_path / "shared"
    partial = shared / "models/.store/partial"
    partial.mkdir(parents=True)
    theirs = partial / f"{small.manifest.models[0].asset.sha256}.free-00.part"
    theirs.write_bytes(small.asset_path.read_bytes()[:1000])
    theirs.chmod(0o644)
    for directory in (shared, *(path for path in shared.rglob("*") if path.is_dir())):
        directory.chmod(0o777)
    with plain_mirror(small.directory) as server:
        environment = installation.environment(
            HEIMDALL_DATA_DIR=str(shared), **from_mirror(server.url)
        )
        done = user.run([sys.executable, "-m", "heimdall", "models", "pull"], environment)
        assert done.returncode == 0, done.stderr
        assert server.requests.settled()[0].range is None
    assert theirs.exists()


def test_without_a_home_a_data_directory_is_asked_for(
    installation: Installation, mirror: SmallModel, tmp_path: Path
) -> None:
    user, _ = other_users()
    environment = installation.environment(PYTHONDONTWRITEBYTECODE="1")
    del environment["HOME"]
    work = tmp_path / "work"
    work.mkdir(mode=0o777)
    work.chmod(0o777)
    inside = ["env", "-C", str(work), sys.executable]
    refused(
        user.run([*inside, "-m", "heimdall", "models", "pull"], environment),
        "HOME",
        "HEIMDALL_DATA_DIR",
    )
    imported = user.run([*inside, "-c", "import heimdall"], environment)
    assert (imported.returncode, imported.stdout) == (0, "")
    assert imported.stderr.count("HEIMDALL_DATA_DIR") == 1
    assert not list(work.iterdir()), "no folder named ~"
    environment["HEIMDALL_DATA_DIR"] = str(work / "data")
    assert user.run([*inside, "-m", "heimdall", "models", "pull"], environment).returncode == 0


@pytest.mark.parametrize(
    "closed",
    [
        *("2>&-", ">&- 2>&-", "<&- >&- 2>&-"),
        *(("2>/dev/full", "2>/dev/full >&-") if Path("/dev/full").exists() else ()),
    ],
)
def test_closed_and_full_streams_do_not_matter(
    installation: Installation, mirror: SmallModel, home: Path, closed: str
) -> None:
    environment = installation.environment()
    for arguments in ("-c 'import heimdall'", "-m heimdall models pull"):
        command = f"'{sys.executable}' {arguments} {closed}"
        assert (
            subprocess.run([program("sh"), "-c", command], env=environment, check=False).returncode
            == 0
        )
        mirror.assert_tree(home / DATA / "models")
        shutil.rmtree(home / DATA)


@pytest.mark.parametrize("years", [-30, 30])
def test_clocks_that_jump(
    installation: Installation, mirror: SmallModel, home: Path, years: int
) -> None:
    """Time stamps of another age, as a clock that was set in between leaves them, on everything in the store."""
    then = time.time() + years * 365 * 86400
    store = home / DATA / "models/.store"
    missing = {"HEIMDALL_MODELS_MIRROR": (home / "nothing").as_uri()}
    assert "could not be fetched" in installation.import_heimdall(**missing).stderr
    note = store / "failures" / "import.json"
    note.write_text(note.read_text().replace('"time": ', f'"time": {then} , "was": '))
    assert "could not be fetched" in installation.import_heimdall(**missing).stderr, (
        "a failure of another age"
    )
    partial = store / "partial" / f"{mirror.manifest.models[0].asset.sha256}.elsewhere.1-00.part"
    partial.write_bytes(mirror.asset_path.read_bytes()[:1000])
    os.utime(partial, (then, then))
    with plain_mirror(mirror.directory) as server:
        done = installation.heimdall("models", "pull", HEIMDALL_MODELS_MIRROR=server.url)
        assert done.returncode == 0, done.stderr
        assert server.requests.settled()[0].range == "bytes=1000-"
    tree = Path(done.stdout.splitlines()[1])
    for path in tree.rglob("*"):
        os.utime(path, (then, then))
    assert installation.heimdall("models", "pull").returncode == 0
    assert installation.heimdall("models", "pull").stdout.startswith(
        "small (standard): was here already"
    )


@needs_removal
@pytest.mark.parametrize(
    "what", ["models/.store", "models", "models/.store/partial", "models/.store/blobs"]
)
def test_a_directory_that_is_removed_while_in_use(
    installation: Installation, small: SmallModel, home: Path, what: str
) -> None:
    data = home / DATA
    held = HoldAfter(50_000)
    with plain_mirror(small.directory, faults=[Fault(held, path="/v1/*", turns={1})]) as server:
        variables = from_mirror(server.url)
        process = installation.start("-m", "heimdall", "models", "pull", **variables)
        wait_until(lambda: largest(data, "models/.store/partial/*.part") >= held.size, process)
        shutil.rmtree(data / what)
        held.go.set()
        stdout, stderr = process.communicate(timeout=900)
    assert process.returncode == 0, stderr
    small.assert_tree(Path(stdout.splitlines()[1]))
    small.assert_tree(data / "models")


@needs_users
def test_errors_about_the_directory_survive_pickling(tmp_path: Path) -> None:
    error = explained(PermissionError(13, "Permission denied", str(tmp_path / "a" / "b")), tmp_path)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 (made here)
    assert isinstance(again, StoreError)
    assert str(again) == str(error)
    assert f"{tmp_path} belongs to {tmp_path.owner()}" in str(error)
