from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.support.faults import Fault, Instead
from tests.support.places import DATA, KNOWN
from tests.support.servers import plain_mirror
from tests.support.small_model import Installation, SmallModel, from_mirror

pytestmark = pytest.mark.slow

HEAVY = [
    "onnxruntime",
    "numpy",
    "tokenizers",
    "urllib3",
    "rich",
    "click",
    "filelock",
    *(("platformdirs",) if KNOWN else ()),
    "typing",
    "dataclasses",
    "hashlib",
    "pathlib",
    "socket",
    "logging",
]


def mirrored(small: SmallModel) -> dict[str, str]:
    return {"HEIMDALL_FETCH": "import", **from_mirror(small.mirror)}


def data_dir(home: Path) -> Path:
    return home / DATA


def test_the_first_import_brings_the_models_and_the_second_is_silent(
    installation: Installation, small: SmallModel, home: Path
) -> None:
    first = installation.import_heimdall(**mirrored(small))
    assert (first.returncode, first.stdout) == (0, "")
    assert "small (standard) is ready, from mirror, verified" in first.stderr
    small.assert_tree(data_dir(home) / "models")
    small.asset_path.unlink()
    second = installation.import_heimdall(**mirrored(small))
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")


def test_a_warm_import_loads_nothing_heavy_and_opens_no_socket(
    installation: Installation, small: SmallModel, tmp_path: Path
) -> None:
    installation.import_heimdall(**mirrored(small))
    program = f"""
events = []
sys.addaudithook(lambda event, _: events.append(event) if event.startswith(("socket.", "subprocess.", "os.posix_spawn")) else None)
before = set(sys.modules)
import heimdall
import json
print(json.dumps([sorted((set(sys.modules) - before) & set({HEAVY!r})), events]))
"""
    finished = installation.run(
        "-I",
        "-c",
        f"import sys; sys.path.insert(0, {str(installation.site)!r})\n{program}",
        **mirrored(small),
    )
    assert finished.stderr == ""
    assert json.loads(finished.stdout) == [[], []]


def test_every_environment_is_noted_once(small: SmallModel, tmp_path: Path, home: Path) -> None:
    users = data_dir(home) / "models" / ".store" / "users"
    for number in range(2):
        other = Installation.make(tmp_path / f"site{number}", small)
        for _ in range(2):
            assert other.import_heimdall(**mirrored(small)).returncode == 0
        assert len(list(users.iterdir())) == number + 1
    manifests = {json.loads(note.read_text())["manifest"] for note in users.iterdir()}
    assert manifests == {
        str(tmp_path / f"site{number}" / "heimdall" / "model_manifest.json") for number in range(2)
    }


def test_an_import_never_fails_and_warns_once(installation: Installation, home: Path) -> None:
    variables = {
        "HEIMDALL_FETCH": "import",
        "HEIMDALL_SOURCES": "mirror",
        "HEIMDALL_MODELS_MIRROR": "http://127.0.0.1:9",
    }
    first = installation.import_heimdall(**variables)
    assert (first.returncode, first.stdout) == (0, "")
    assert first.stderr.count("could not be fetched") == 1
    assert "Traceback" not in first.stderr
    second = installation.import_heimdall(**variables)
    assert second.returncode == 0
    assert "is not tried again by an import" in second.stderr
    assert "could not be fetched" not in second.stderr


def test_a_failure_is_forgotten_when_other_sources_are_named(
    installation: Installation, small: SmallModel
) -> None:
    installation.import_heimdall(HEIMDALL_FETCH="import", HEIMDALL_OFFLINE="1")
    finished = installation.import_heimdall(**mirrored(small))
    assert "is ready, from mirror" in finished.stderr


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("HEIMDALL_SOURCES", "gitlab", "HEIMDALL_SOURCES='gitlab': expected"),
        ("HEIMDALL_FETCH", "later", "HEIMDALL_FETCH='later'"),
        ("HEIMDALL_DATA_DIR", f"{__file__}/below", f"{Path('below', 'models')} can't be used"),
    ],
)
def test_a_bad_variable_is_a_warning_too(
    installation: Installation, small: SmallModel, variable: str, value: str, message: str
) -> None:
    finished = installation.import_heimdall(**{**mirrored(small), variable: value})
    assert finished.returncode == 0
    assert message in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_missing_manifest_is_a_warning(installation: Installation, small: SmallModel) -> None:
    (installation.site / "heimdall" / "model_manifest.json").unlink()
    finished = installation.import_heimdall(**mirrored(small))
    assert finished.returncode == 0
    assert "model_manifest.json: is missing" in finished.stderr


@pytest.mark.parametrize("moment", ["use", "never"])
def test_the_variable_keeps_an_import_from_fetching(
    installation: Installation, small: SmallModel, home: Path, moment: str
) -> None:
    finished = installation.import_heimdall(**{**mirrored(small), "HEIMDALL_FETCH": moment})
    assert (finished.returncode, finished.stderr) == (0, "")
    assert not data_dir(home).exists()


def test_an_import_changes_no_variable_of_the_host(
    installation: Installation, small: SmallModel
) -> None:
    program = (
        "import os; before = dict(os.environ); import heimdall; print(before == dict(os.environ))"
    )
    assert installation.run("-c", program, **mirrored(small)).stdout == "True\n"


def test_closed_stderr_breaks_nothing(
    installation: Installation, small: SmallModel, home: Path
) -> None:
    program = "import os, sys; os.close(2); sys.stderr = None; import heimdall"
    assert installation.run("-c", program, **mirrored(small)).returncode == 0
    small.assert_tree(data_dir(home) / "models")


def test_thirty_two_processes_at_once_make_one_copy(
    installation: Installation, small: SmallModel, home: Path
) -> None:
    processes = [installation.start("-c", "import heimdall", **mirrored(small)) for _ in range(32)]
    outcomes = [(*process.communicate(timeout=900), process.returncode) for process in processes]
    assert [code for _, _, code in outcomes] == [0] * 32
    assert sum("is ready, from mirror" in stderr for _, stderr, _ in outcomes) == 1
    store = data_dir(home) / "models" / ".store"
    assert len(list((store / "blobs").iterdir())) == len(small.files)
    assert not list((store / "partial").iterdir())


COMMAND = "import _heimdall_commands as commands; "
VERSION = f"{COMMAND}import sys; sys.argv[1:] = ['--version']; sys.exit(commands.heimdall())"
RUN_MODULE = "import runpy, sys; sys.argv[1:] = ['--help']; runpy.run_module({!r}, run_name='__main__', alter_sys=True)"
HOSTS = {
    "a command under another name": (("-c", VERSION), False),
    "python -m": (("-m", "heimdall", "--help"), False),
    "python -m, an option before it": (
        ("-W", "error", "-m", "heimdall.mcp_server", "--help"),
        False,
    ),
    "python -m, written together": (("-mheimdall", "--help"), False),
    "a module run as pex does": (("-c", RUN_MODULE.format("heimdall")), False),
    "a debugger": (
        ("-m", "pdb", "-c", "continue", "-c", "quit", "-m", "heimdall", "--help"),
        False,
    ),
    "a host program": (("-c", "import heimdall"), True),
    "a host program that runs a module": (("-m", "host"), True),
    "a host program that lists commands": (("-c", f"{COMMAND}import heimdall"), True),
}


@pytest.mark.parametrize(("arguments", "fetches"), HOSTS.values(), ids=HOSTS)
def test_own_commands_fetch_nothing_unasked_and_all_others_do(
    installation: Installation,
    small: SmallModel,
    home: Path,
    arguments: tuple[str, ...],
    fetches: bool,
) -> None:
    (installation.site / "host.py").write_text("import heimdall")
    (record := installation.site / "heimdall_mcp-0.0.dist-info").mkdir()
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: heimdall-mcp\nVersion: 0.0\n")
    finished = installation.run(*arguments, **mirrored(small))
    assert finished.returncode == 0, finished.stderr
    assert data_dir(home).exists() == fetches


@pytest.mark.parametrize(
    "arguments",
    [("--help",), ("dirs",), ("models", "--help"), ("models", "status"), ("models", "path")],
)
def test_commands_that_need_no_model_fetch_none_and_load_nothing_heavy(
    installation: Installation, small: SmallModel, home: Path, arguments: tuple[str, ...]
) -> None:
    finished = installation.heimdall(*arguments, **mirrored(small))
    assert finished.returncode in {0, 1}
    assert not data_dir(home).exists()
    heavy = (
        "import sys; from heimdall.cli import main; sys.argv[1:] = "
        + repr(list(arguments))
        + "; main(); print(sorted({'onnxruntime', 'numpy', 'tokenizers', 'rich'} & set(sys.modules)))"
    )
    assert installation.run("-c", heavy, HEIMDALL_FETCH="never").stdout.splitlines()[-1] == "[]"


@pytest.mark.skipif(sys.platform != "linux", reason="the variable is Linux' own")
def test_a_list_of_system_directories_costs_no_more(
    installation: Installation, small: SmallModel
) -> None:
    installation.import_heimdall(**mirrored(small))
    heavy = "{'platformdirs', 'pathlib', 'urllib3'}"
    program = f"import sys; before = set(sys.modules); import heimdall; print(({heavy} - before) & set(sys.modules))"
    variables = {
        **mirrored(small),
        "XDG_DATA_DIRS": "/usr/local/share:/usr/share",
        "HEIMDALL_SYSTEM_MODELS": "",
    }
    assert installation.run("-c", program, **variables).stdout == "set()\n"


def test_nothing_of_the_working_directory_is_run(
    installation: Installation, small: SmallModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = tmp_path / "hostile"
    hostile.mkdir()
    (hostile / "pip.py").write_text(f"open({str(tmp_path / 'was here')!r}, 'w')")
    monkeypatch.chdir(hostile)
    script = tmp_path / "script.py"
    script.write_text(
        f"import sys; sys.path.insert(0, {str(installation.site)!r}); import heimdall"
    )
    installation.run(
        str(script),
        HEIMDALL_FETCH="import",
        HEIMDALL_SOURCES="index",
        PIP_INDEX_URL="http://127.0.0.1:9/",
    )
    assert not (tmp_path / "was here").exists()


@pytest.mark.parametrize("seconds", ["999", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_an_import_does_not_wait_as_long_as_a_server_wants(
    small: SmallModel, tmp_path: Path, seconds: str
) -> None:
    installation = Installation.make(tmp_path / "site", small, patient=False)
    busy = Fault(Instead(503, headers={"Retry-After": seconds}))
    with plain_mirror(small.directory, faults=[busy]) as server:
        variables = {"HEIMDALL_FETCH": "import", **from_mirror(server.url)}
        finished = installation.import_heimdall(**variables)
    assert finished.returncode == 0
    assert "answered 503" in finished.stderr
    assert "asking again" not in finished.stderr
