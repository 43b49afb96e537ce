"""The files that are ours alone, run as their hosts run them, with a program that tells what it was asked."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from heimdall.hooks.own_files import OWN_FILES
from tests.support.node_tools import NODE

ASKED = """#!/bin/sh
{ printf '%s ' "$@"; cat; echo; } >> "$0.asked"
echo "told at $2"
"""
AMP = """
import heimdall from "./module.mjs"
const on = {}
heimdall({ on: (name, act) => (on[name] = act) })
const thread = { id: "t1" }
const told = []
for (const message of ["first", "second"]) told.push(await on["agent.start"]({ thread, message }))
const messages = [
  { role: "user", content: [{ type: "text", text: "second" }] },
  { role: "assistant", content: [{ type: "text", text: "done" }, { type: "tool_use" }] },
]
await on["agent.end"]({ thread, status: "done", messages })
console.log(JSON.stringify(told))
"""
OPENCODE = """
import { Heimdall } from "./module.mjs"
const on = await Heimdall({ directory: process.cwd() })
const system = [], parts = [{ type: "text", text: "first" }]
await on["experimental.chat.system.transform"]({ sessionID: "t1" }, { system })
await on["experimental.chat.system.transform"]({ sessionID: "t1" }, { system })
await on["chat.message"]({ sessionID: "t1" }, { parts })
await on.event({ event: { type: "message.updated", properties: { info: { id: "m", role: "assistant" } } } })
const part = { type: "text", text: "done", messageID: "m", sessionID: "t1" }
await on.event({ event: { type: "message.part.updated", properties: { part } } })
await on.event({ event: { type: "session.idle", properties: { sessionID: "t1" } } })
console.log(JSON.stringify([system, parts.map((one) => one.text)]))
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "heimdall"
    path.write_text(ASKED)
    path.chmod(0o755)
    try:
        subprocess.run(
            [path, "hook", "trial"], input="", text=True, capture_output=True, check=True
        )
    except OSError:
        pytest.skip("the first line of a file starts no program here")
    path.with_name("heimdall.asked").unlink()
    return path


def asked(program: Path) -> list[tuple[str, dict[str, Any]]]:
    """What the program was asked: the event and the client, and the payload."""
    lines = program.with_name("heimdall.asked").read_text().splitlines()
    return [
        (words, json.loads("{" + rest)) for words, _, rest in (li.partition("{") for li in lines)
    ]


def in_node(client: str, script: str, program: Path) -> Any:
    (file,) = OWN_FILES[client]
    folder = program.parent
    (folder / "module.mjs").write_text(file.text(str(program)), encoding="utf-8")
    (folder / "script.mjs").write_text(script, encoding="utf-8")
    done = subprocess.run(
        [NODE, "script.mjs"],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=900,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.slow
def test_amp_is_told_at_a_threads_start_and_at_each_prompt(program: Path) -> None:
    first, second = in_node("amp", AMP, program)
    assert first == {"message": {"content": "told at session-start\n\n\ntold at user-prompt\n"}}
    assert second == {"message": {"content": "told at user-prompt\n"}}
    events = asked(program)
    assert [words.split()[1] for words, _ in events] == [
        *("session-start", "user-prompt", "user-prompt", "stop")
    ]
    last = events[-1][1]
    assert (last["prompt"], last["last_assistant_message"]) == ("second", "done")
    assert {(one["session_id"], one["cwd"]) for _, one in events} == {
        ("t1", os.path.realpath(program.parent))
    }


@pytest.mark.slow
def test_opencode_is_told_once_in_its_system_prompt(program: Path) -> None:
    system, parts = in_node("opencode", OPENCODE, program)
    assert system == ["told at session-start\n"] * 2
    assert parts == ["first", "told at user-prompt\n"]
    words = [words.split() for words, _ in asked(program)]
    assert words == [
        ["hook", event, "--client", "opencode"]
        for event in ("session-start", "user-prompt", "stop")
    ]


@pytest.mark.skipif(os.name == "nt", reason="Cline runs no scripts there")
def test_clines_scripts_never_stop_a_task(program: Path) -> None:
    for file in OWN_FILES["cline-vscode"]:
        for where, said in ((str(program), "told at "), ("/nowhere/heimdall", "")):
            done = subprocess.run(
                ["sh", "-c", file.text(where)],
                input="{}",
                capture_output=True,
                encoding="utf-8",
                check=True,
            )
            assert done.stdout.startswith(said)


def test_kiros_table_names_an_event_once(program: Path) -> None:
    (file,) = OWN_FILES["kiro"]
    table = json.loads(file.text(str(program)))
    assert table["version"] == "v1"
    assert [hook["trigger"] for hook in table["hooks"]] == [
        *("SessionStart", "UserPromptSubmit", "Stop")
    ]
    assert all(hook["action"]["command"].startswith(program.as_posix()) for hook in table["hooks"])
