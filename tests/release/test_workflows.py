"""The workflows and the page about releasing, held against the commands that there are; linters do the rest."""

from __future__ import annotations

import re

import pytest

from release.__main__ import cli
from release.project import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PAGE = ROOT / "docs" / "releasing.md"
_COMMAND = re.compile(r"python -m release (?P<name>[a-z]+)(?P<rest>[^#|`\n]*)")

pytestmark = pytest.mark.skipif(not WORKFLOWS, reason="an sdist has no workflows")


def test_every_action_is_pinned_by_commit_with_its_version() -> None:
    for path in WORKFLOWS:
        for line in path.read_text(encoding="utf-8").splitlines():
            if "uses:" in line:
                assert re.fullmatch(
                    r"\s+- uses: [\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line
                ), line


def test_no_workflow_has_permissions_but_those_of_its_jobs() -> None:
    for path in WORKFLOWS:
        text = path.read_text(encoding="utf-8")
        assert "\npermissions: {}\n" in text
        assert text.count("\n    permissions:\n") == text.count("\n    runs-on:")


def test_the_commands_that_are_named_exist_with_their_options() -> None:
    named = set()
    for path in (*WORKFLOWS, PAGE):
        for command in _COMMAND.finditer(path.read_text(encoding="utf-8")):
            known = cli.commands[command["name"]]
            options = {option for parameter in known.params for option in parameter.opts}
            assert set(re.findall(r"--[a-z-]+", command["rest"].split("&&")[0])) <= options, (
                command[0]
            )
            named.add(command["name"])
    assert named == {"build", "pack", "lock", "publish", "push", "verify"}


def test_the_tag_of_a_workflow_is_never_part_of_a_script() -> None:
    for path in WORKFLOWS:
        for line in path.read_text(encoding="utf-8").splitlines():
            assert not re.search(r"run:.*\$\{\{", line), line
