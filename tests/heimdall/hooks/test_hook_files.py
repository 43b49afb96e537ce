from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heimdall.hooks.hook_files import HOOK_FILES, HookFile, drop_hooks, put_hooks
from heimdall.hooks.hosts import Event
from heimdall.hooks.program import command_line, is_ours
from heimdall.mcp_clients.errors import FormatError

EVERY = pytest.mark.parametrize("file", HOOK_FILES.values(), ids=lambda file: file.host.name)
MINE = {"hooks": [{"type": "command", "command": "mine"}]}


@EVERY
def test_a_fresh_file_has_a_hook_for_each_event_and_is_gone_afterwards(file: HookFile) -> None:
    text = put_hooks("", file, "/opt/heimdall")
    content = json.loads(text)
    assert set(content["hooks"]) == set(file.host.events.values())
    assert set(content) == {"hooks", *file.fixed}
    assert put_hooks(text, file, "/opt/heimdall") == text
    assert drop_hooks(text, file) == ""


@EVERY
def test_no_command_line_has_a_version_and_named_ones_name_their_host(file: HookFile) -> None:
    text = put_hooks("", file, "/opt/heimdall")
    assert ("--client" in text) == file.named
    for word in ("0.4", "python3", "site-packages"):
        assert word not in text


@EVERY
def test_others_hooks_and_settings_stay_as_they_are(file: HookFile) -> None:
    name = file.host.events[Event.SESSION_START]
    old = json.dumps({"theme": "dark", "hooks": {name: [MINE], "Other": [MINE]}}, indent=2) + "\n"
    new = put_hooks(old, file, "/opt/heimdall")
    assert json.loads(new)["hooks"][name][0] == MINE
    assert json.loads(new)["theme"] == "dark"
    back = json.loads(drop_hooks(new, file))
    back.pop("version", None)
    assert back == json.loads(old)


@EVERY
def test_a_moved_program_takes_the_place_of_the_old_one(file: HookFile) -> None:
    first = put_hooks("", file, "/old/bin/heimdall")
    second = put_hooks(first, file, "/new/bin/heimdall")
    assert "/old/" not in second
    assert second == put_hooks("", file, "/new/bin/heimdall")


def test_a_group_with_others_hooks_loses_ours_alone() -> None:
    file = HOOK_FILES["claude-code"]
    ours = {"type": "command", "command": "heimdall hook stop"}
    old = json.dumps({"hooks": {"Stop": [{"matcher": "x", "hooks": [ours, *MINE["hooks"]]}]}})
    assert json.loads(drop_hooks(old, file)) == {"hooks": {"Stop": [{"matcher": "x", **MINE}]}}


@pytest.mark.parametrize(
    "text",
    ["[]", '{"hooks": []}', '{"hooks": {"Stop": {}}}', "{", '{"hooks": {"Stop": [/* mine */ 1]}}'],
)
def test_what_can_not_be_changed_alone_is_refused(text: str) -> None:
    with pytest.raises(FormatError):
        put_hooks(text, HOOK_FILES["claude-code"], "heimdall")


names = st.sampled_from(["Stop", "SessionStart", "PreToolUse", "x", "ä"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
hook = st.fixed_dictionaries({"type": st.just("command"), "command": st.text(max_size=8)})
groups = st.lists(
    st.fixed_dictionaries({"hooks": st.lists(hook, min_size=1, max_size=2)}), min_size=1
)


@given(
    st.dictionaries(st.sampled_from(["theme", "model", "ü", "permissions"]), values),
    st.dictionaries(names, groups),
    st.sampled_from([None, 2, "\t"]),
    st.sampled_from([*HOOK_FILES.values()]),
)
def test_put_and_drop_leave_any_other_content(
    settings: dict[str, Any], hooks: dict[str, Any], indent: Any, file: HookFile
) -> None:
    content = {**settings, **({"hooks": hooks} if hooks else {})}
    old = json.dumps(content, indent=indent, ensure_ascii=False)
    back = json.loads(drop_hooks(put_hooks(old, file, "/a b/heimdall"), file) or "{}")
    back.pop("version", None)
    assert back == content


def test_a_command_line_is_ours_in_any_shell_and_place() -> None:
    line = command_line("/home/my name/bin/heimdall", Event.STOP, "codex")
    assert is_ours(line)
    for ours in (
        "heimdall hook stop",
        "C:/x/heimdall.exe hook stop",
        "C:\\x\\heimdall.exe hook stop",
        '"C:\\x y\\heimdall.exe" hook stop',
    ):
        assert is_ours(ours)
    assert is_ours("C:\\x y\\heimdall.exe", ["hook", "stop"])
    for other in (
        "heimdall status",
        "other hook stop",
        "",
        "'",
        None,
        3,
        "echo heimdall hook stop",
    ):
        assert not is_ours(other)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("sh") is None, reason="there is no sh")
def test_a_path_with_blanks_and_quotes_runs_in_a_shell(tmp_path: Path) -> None:
    folder = tmp_path / "it's a $HOME"
    folder.mkdir()
    program = folder / "heimdall"
    program.write_text('#!/bin/sh\necho "$@"\n')
    program.chmod(0o755)
    line = command_line(str(program), Event.STOP, "codex")
    done = subprocess.run(["sh", "-c", line], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == "hook stop --client codex\n"


@pytest.mark.parametrize(
    ("program", "first"),
    [
        (r"C:\Users\me\heimdall.EXE", "C:/Users/me/heimdall.EXE"),
        (r"C:\Users\JODOE~1\Scripts\heimdall.exe", "C:/Users/JODOE~1/Scripts/heimdall.exe"),
        (r"c:\Users\Jürgen\heimdall.exe", "c:/Users/Jürgen/heimdall.exe"),
        (r"C:\Users\Jo Doe\heimdall.exe", "heimdall"),
        (r"C:\Users\O'Neil\heimdall.exe", "heimdall"),
        (r"C:\a&b\heimdall.exe", "heimdall"),
        (r"C:\a$b%c^d\heimdall.exe", "heimdall"),
        (r"C:\x(86)\heimdall.exe", "heimdall"),
        (r"\\server\share\heimdall.exe", "heimdall"),
        ("heimdall", "heimdall"),
    ],
)
def test_a_line_for_windows_is_the_same_in_each_of_its_shells(program: str, first: str) -> None:
    line = command_line(program, Event.STOP, "codex", windows=True)
    assert line == f"{first} hook stop --client codex"
    assert is_ours(line)


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["plain", "Jo Doe"])
def test_a_line_for_windows_runs_there(folder: str, tmp_path: Path) -> None:
    """Through bash everywhere, as Git Bash has it, and through cmd.exe where it is."""
    scripts = tmp_path / folder
    scripts.mkdir()
    program = scripts / ("heimdall.cmd" if os.name == "nt" else "heimdall")
    program.write_text("@echo %*\r\n" if os.name == "nt" else '#!/bin/sh\necho "$@"\n')
    program.chmod(0o755)
    line = command_line(str(program), Event.STOP, "codex", windows=True)
    environment = {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}
    shells = [shell for shell in (["cmd.exe", "/c"], ["bash", "-c"]) if shutil.which(shell[0])]
    assert shells
    for shell in shells:
        done = subprocess.run(
            [*shell, line], capture_output=True, encoding="utf-8", check=True, env=environment
        )
        assert done.stdout.strip() == "hook stop --client codex"
