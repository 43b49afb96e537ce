from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.capabilities import program
from tests.support.faults import Fault, HoldAfter
from tests.support.places import DATA
from tests.support.servers import plain_mirror
from tests.support.small_model import Installation, SmallModel
from tests.support.trees import largest
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow


def test_the_life_of_a_model(installation: Installation, mirror: SmallModel) -> None:
    before = installation.heimdall("models", "status")
    assert before.returncode == 1
    assert "state   not here; 'heimdall models pull' fetches it" in before.stdout
    assert installation.heimdall("models", "path").returncode == 1
    assert installation.heimdall("models", "verify").returncode == 1

    pull = installation.heimdall("models", "pull")
    assert pull.returncode == 0
    headline, directory = pull.stdout.splitlines()
    assert headline == "small (standard): from mirror, verified"
    mirror.assert_tree(Path(directory))
    assert installation.heimdall("models", "pull").stdout.startswith(
        "small (standard): was here already, verified"
    )

    assert installation.heimdall("models", "path").stdout == f"{directory}\n"
    status = installation.heimdall("models", "status")
    assert status.returncode == 0
    assert f"path    {directory}" in status.stdout
    verify = installation.heimdall("models", "verify")
    assert verify.returncode == 0
    assert verify.stdout.splitlines()[-1] == "every file matches its pin"


def test_verify_finds_what_time_and_size_hide_and_repairs_it(
    installation: Installation, mirror: SmallModel
) -> None:
    directory = Path(installation.heimdall("models", "pull").stdout.splitlines()[1])
    weights = directory / "model.safetensors"
    status = weights.stat()
    with weights.open("r+b") as stream:
        stream.write(b"rot")
    os.utime(weights, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert installation.heimdall("models", "status").returncode == 0
    bad = installation.heimdall("models", "verify", "--json")
    assert bad.returncode == 1
    assert [file["state"] for file in json.loads(bad.stdout)["files"]].count("different") == 1
    text = installation.heimdall("models", "verify")
    assert "different  model.safetensors" in text.stdout
    assert "--repair" in text.stdout
    repaired = installation.heimdall("models", "verify", "--repair")
    assert (repaired.returncode, repaired.stdout.splitlines()[-1][:6]) == (0, "mended")
    mirror.assert_tree(directory)
    assert installation.heimdall("models", "verify").returncode == 0


def test_json_reports(installation: Installation, mirror: SmallModel, home: Path) -> None:
    status = json.loads(installation.heimdall("models", "status", "--json").stdout)
    assert (status["complete"], status["directory"], status["size"]) == (
        False,
        None,
        sum(map(len, mirror.files.values())),
    )
    pulled = json.loads(installation.heimdall("models", "pull", "--json").stdout)
    assert (pulled["model"], pulled["variant"], pulled["sources"]) == (
        "small",
        "standard",
        ["mirror"],
    )
    status = json.loads(installation.heimdall("models", "status", "--json").stdout)
    assert (status["complete"], status["tier"], status["directory"]) == (
        True,
        "shared",
        pulled["directory"],
    )
    assert json.loads(installation.heimdall("models", "verify", "--json").stdout)["sound"] is True
    dirs = json.loads(installation.heimdall("dirs", "--json").stdout)
    assert dirs["heimdall_data_dir"] == str(home / DATA)
    assert dirs["models_dir"] == str(home / DATA / "models")


def test_another_packages_model_is_managed_by_naming_the_package(
    installation: Installation, mirror: SmallModel, tmp_path: Path
) -> None:
    other = SmallModel(tmp_path / "other", mirror.files, name="another")
    other.write_manifest(installation.site / "other" / "model_manifest.json")
    absent = installation.heimdall("models", "status", "--package", "other")
    assert absent.returncode == 1
    assert "not here; 'heimdall models pull --package other' fetches it" in absent.stdout
    variables = {"HEIMDALL_MODELS_MIRROR": other.mirror}
    pulled = installation.heimdall("models", "pull", "--package", "other", **variables)
    assert pulled.returncode == 0
    assert pulled.stdout.startswith("another (standard): from mirror, verified")
    path = installation.heimdall("models", "path", "--package", "other")
    assert f"{path.stdout}" == f"{pulled.stdout.splitlines()[1]}\n"
    assert installation.heimdall("models", "status").returncode == 1, "that is heimdall's own"
    unknown = installation.heimdall("models", "status", "--package", "not_there")
    assert (unknown.returncode, "is not installed" in unknown.stderr) == (2, True)


def test_a_plain_system_tree_counts_until_it_was_found_bad(
    installation: Installation, mirror: SmallModel, tmp_path: Path
) -> None:
    system = mirror.lay_out(tmp_path / "system")
    variables = {"HEIMDALL_SYSTEM_MODELS": str(system)}
    status = json.loads(installation.heimdall("models", "status", "--json", **variables).stdout)
    assert (status["directory"], status["verified"]) == (str(system), True)
    (system / "model.safetensors").write_bytes(bytes(300_000))
    assert installation.heimdall("models", "verify", **variables).returncode == 1
    assert installation.heimdall("models", "verify", "--repair", **variables).returncode == 0
    status = json.loads(installation.heimdall("models", "status", "--json", **variables).stdout)
    assert (status["tier"], status["verified"]) == ("shared", True)
    assert installation.heimdall("models", "verify", **variables).returncode == 0
    path = json.loads(installation.heimdall("models", "path", "--json", **variables).stdout)
    assert path["directory"] == status["directory"]


def test_dirs_shows_where_the_models_really_are(installation: Installation, tmp_path: Path) -> None:
    shown = installation.heimdall("dirs", "--json", MODEL_CACHE_DIR=str(tmp_path / "mine")).stdout
    assert json.loads(shown)["models_dir"] == str(tmp_path / "mine")


@pytest.mark.parametrize(
    ("arguments", "variables", "message"),
    [
        (
            ("models", "pull"),
            {"HEIMDALL_OFFLINE": "1", "HEIMDALL_SOURCES": "github"},
            "Unset HEIMDALL_OFFLINE",
        ),
        (
            ("models", "pull"),
            {"HEIMDALL_OFFLINE": "perhaps"},
            "HEIMDALL_OFFLINE='perhaps': expected 1, true",
        ),
        (("models", "pull", "--variant", "huge"), {}, "pins no small (huge) for this machine"),
        (("models", "verfy"), {}, "Did you mean 'verify'?"),
        (("modles",), {}, "Did you mean 'models'?"),
        (
            ("dirs",),
            {"HEIMDALL_LOG_LEVEL": "loud"},
            "HEIMDALL_LOG_LEVEL='loud': expected one of debug, info",
        ),
        (("dirs",), {"HEIMDALL_PROJECT": "nowhere"}, "HEIMDALL_PROJECT names it"),
        (("models", "pull", "--fast"), {}, "No such option '--fast'"),
        (("dirs", "--jsn"), {}, "Did you mean '--json'?"),
        (("models", "pull"), {"HEIMDALL_DATA_DIR": f"{__file__}/x"}, Path(__file__).name),
    ],
)
def test_mistakes_give_a_message_and_exit_code_2(
    installation: Installation,
    mirror: SmallModel,
    arguments: tuple[str, ...],
    variables: dict[str, str],
    message: str,
) -> None:
    finished = installation.heimdall(*arguments, **variables)
    assert finished.returncode == 2
    assert finished.stdout == ""
    assert message in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_traceback_on_request(installation: Installation, mirror: SmallModel) -> None:
    finished = installation.heimdall(
        "models", "pull", HEIMDALL_OFFLINE="perhaps", HEIMDALL_DEBUG="1"
    )
    assert "Traceback" in finished.stderr


def test_ctrl_c_keeps_what_arrived_and_the_next_pull_goes_on(
    installation: Installation, small: SmallModel, home: Path
) -> None:
    held = HoldAfter(50_000)
    with plain_mirror(small.directory, faults=[Fault(held, path="/v1/*", turns={1})]) as server:
        variables = {"HEIMDALL_MODELS_MIRROR": server.url, "HEIMDALL_SOURCES": "mirror"}
        process = installation.start("-m", "heimdall", "models", "pull", **variables)
        partial = home / DATA / "models/.store/partial"
        wait_until(lambda: largest(partial, "*.part") >= held.size, process)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=900)
        held.go.set()
        assert process.returncode == 130
        assert "interrupted; what is done is kept" in stderr
        assert "Traceback" not in stderr
        again = installation.heimdall("models", "pull", **variables)
        assert again.returncode == 0
        assert "continuing after" in again.stderr
        assert server.requests.settled()[-1].status == 206
    assert not list(partial.iterdir())


def test_help_and_a_closed_pipe(installation: Installation) -> None:
    help_text = installation.heimdall("--help").stdout
    assert "models" in help_text
    assert "dirs" in help_text
    closed = installation.start(
        "-c", "import sys; from heimdall.cli import main; sys.argv[1:] = ['dirs']; sys.exit(main())"
    )
    assert closed.stdout is not None
    closed.stdout.close()
    assert closed.stderr is not None
    assert "Traceback" not in closed.stderr.read()
    closed.stderr.close()
    closed.wait(timeout=900)


@pytest.mark.skipif(not hasattr(select, "epoll"), reason="nothing here answers as Windows does")
def test_a_closed_pipe_as_windows_tells_it(installation: Installation) -> None:
    code = (
        "import os, select, sys; from heimdall.cli import main, output; output.WINDOWS = True\n"
        "refuses = select.epoll(); os.dup2(refuses.fileno(), 1)  # it answers EINVAL\n"
        "sys.argv[1:] = ['dirs']; sys.exit(main())"
    )
    done = installation.run("-c", code, HEIMDALL_FETCH="never")
    assert (done.returncode, done.stderr) == (2, "")


def test_warnings_reach_the_user_and_the_log(installation: Installation, home: Path) -> None:
    code = (
        "import logging, sys; from heimdall.cli import main; from heimdall.cli import dirs\n"
        "import heimdall.cognitive_system.data_dirs as data_dirs\n"
        "def qdrant(): logging.getLogger('cognitive_memory').warning('beware of %s', 'it'); return 'q'\n"
        "data_dirs.get_qdrant_data_dir = qdrant\n"
        "sys.argv[1:] = ['dirs']; sys.exit(main())"
    )
    done = installation.run("-c", code, HEIMDALL_FETCH="never")
    assert (done.returncode, done.stderr) == (0, "heimdall: beware of it\n")
    (log,) = (home / DATA / "logs").iterdir()
    assert "WARNING cognitive_memory [MainThread] beware of it" in log.read_text()


def test_a_mistake_of_ours_is_one_line_and_a_traceback_in_the_log(
    installation: Installation, home: Path
) -> None:
    code = (
        "import sys; from heimdall.cli import main; import heimdall.cognitive_system.data_dirs as data_dirs\n"
        "data_dirs.get_qdrant_data_dir = lambda: 1 / 0\n"
        "sys.argv[1:] = ['dirs']; sys.exit(main())"
    )
    done = installation.run("-c", code, HEIMDALL_FETCH="never")
    (log,) = (home / DATA / "logs").iterdir()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        f"heimdall: this should not have happened: ZeroDivisionError: division by zero; the details are in {log}."
    )
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" in log.read_text()
    off = installation.run("-c", code, HEIMDALL_FETCH="never", HEIMDALL_LOG_LEVEL="off")
    assert "set HEIMDALL_DEBUG=1 to see where" in off.stderr
    debug = installation.run("-c", code, HEIMDALL_FETCH="never", HEIMDALL_DEBUG="1")
    assert "Traceback" in debug.stderr


def test_commands_that_have_nothing_to_say_make_no_log(
    installation: Installation, home: Path
) -> None:
    assert installation.heimdall("dirs").returncode == 0
    assert not list(home.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="paths are text on Windows")
def test_a_path_that_is_no_text_comes_out_as_it_is(
    installation: Installation, tmp_path: Path
) -> None:
    directory = os.fsdecode(bytes(tmp_path) + b"/caf\xe9")
    command = [sys.executable, "-m", "heimdall", "dirs"]
    done = subprocess.run(
        command,
        env=installation.environment(MODEL_CACHE_DIR=directory),
        stdout=subprocess.PIPE,
        check=True,
    )
    assert f"models_dir         {directory}\n".encode(errors="surrogateescape") in done.stdout


@pytest.mark.parametrize("signal_at", ["start", "work"])
def test_ctrl_c_is_quiet_whenever_it_comes(installation: Installation, signal_at: str) -> None:
    wait = "import time; time.sleep(60)"
    codes = {
        "start": f"import builtins, sys; real = builtins.__import__\n"
        f"def slow(name, *rest, **options):\n"
        f"    if name == 'heimdall.cli.run': print('here', flush=True); {wait}\n"
        f"    return real(name, *rest, **options)\n"
        f"import heimdall.cli; builtins.__import__ = slow; sys.exit(heimdall.cli.main())",
        "work": f"import sys; from heimdall.cli import main; import heimdall.cognitive_system.data_dirs as data_dirs\n"
        f"def slow(): print('here', flush=True); {wait}\n"
        f"data_dirs.get_qdrant_data_dir = slow; sys.argv[1:] = ['dirs']; sys.exit(main())",
    }
    process = installation.start("-c", codes[signal_at], HEIMDALL_FETCH="never")
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=900)
    assert process.returncode == 130
    assert "Traceback" not in stderr


def test_a_reader_that_leaves_in_the_middle_is_no_news(installation: Installation) -> None:
    more_than_a_pipe_holds = "x" * 100_000
    installation.heimdall("store", "--", more_than_a_pipe_holds)
    command = f"{sys.executable} -m heimdall export | head -c 1"
    done = subprocess.run(
        [program("sh"), "-c", command],
        env=installation.environment(),
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=900,
    )
    assert (done.stdout, done.stderr) == ("{", "")


def test_the_log_tells_where_the_model_came_from(
    installation: Installation, mirror: SmallModel, home: Path
) -> None:
    for _ in range(2):
        assert installation.heimdall("models", "pull").returncode == 0
    (log,) = (home / DATA / "logs").iterdir()
    assert "INFO heimdall.models.fetch" in log.read_text()
    assert "small (standard) is ready, from mirror, verified" in log.read_text()
    assert installation.heimdall("models", "pull", HEIMDALL_LOG_LEVEL="off").returncode == 0


def test_no_memory_and_no_question_is_logged(installation: Installation, home: Path) -> None:
    variables = {"HEIMDALL_FETCH": "never", "HEIMDALL_LOG_LEVEL": "debug"}
    assert (
        installation.heimdall("store", "The launch code is 48151623.", **variables).returncode == 0
    )
    assert "48151623" in installation.heimdall("recall", "launch code 48151623", **variables).stdout
    assert (
        installation.heimdall("update", "48151623", "--text", "48151623", **variables).returncode
        == 2
    )
    logs = home / DATA / "logs"
    assert "48151623" not in "".join(log.read_text() for log in logs.glob("*"))
