"""The programs themselves, behind a fake model: what does their model see, and what is kept of what was said?"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from cognitive_memory.opening import open_memory
from cognitive_memory.project.find import find_project
from heimdall.hooks import installing
from tests.heimdall.hooks.conftest import Project
from tests.support.checkout import ROOT
from tests.support.fake_model import ANSWER, FakeModel, fake_model
from tests.support.node_tools import CACHE, run_tool

pytestmark = pytest.mark.slow

PROMPT = "Remember that the tower has forty floors."


def prepared(project: Project, client: str) -> None:
    project.store("Never push on Fridays.", pinned=True)
    installing.install(client, scope="user", root=project.root)


def kept(project: Project) -> set[str]:
    with open_memory(find_project(project.root)) as memory:
        return {one.text for one in memory.memories()}


def with_codex(
    project: Project, model: FakeModel, *options: str, prompt: str = PROMPT, settings: str = ""
) -> None:
    config = Path.home() / ".codex/config.toml"
    config.parent.mkdir(exist_ok=True)
    config.write_text(
        f'model = "fake"\nmodel_provider = "mock"\n{settings}'
        f'[model_providers.mock]\nname = "mock"\nbase_url = "{model.url}/v1"\nwire_api = "responses"\n'
    )
    done = run_tool(
        *("codex", "exec", "--skip-git-repo-check", *options, prompt),
        cwd=project.root,
        environment={"HEIMDALL_FETCH": "never"},
        tools="node_hooks",
    )
    said = done.stdout + done.stderr
    assert model.answer in said, said
    assert "clamping" not in said


def test_codex_runs_what_the_user_approved_and_nothing_before(project: Project) -> None:
    prepared(project, "codex")
    with fake_model() as model:
        with_codex(project, model)
        assert "Never push on Fridays." not in model.seen()
        with_codex(project, model, "--dangerously-bypass-hook-trust")
        assert "> Never push on Fridays." in model.seen()
        assert kept(project) == {"Never push on Fridays.", "The tower has forty floors.", ANSWER}
        model.answer = "The user wants a tower. It has forty floors and no lift."
        model.requests.clear()
        with_codex(
            project,
            model,
            *("--dangerously-bypass-hook-trust", "resume", "--last"),
            prompt="And how many cellars?",
            settings="model_auto_compact_token_limit = 1\n",
        )
        _compaction, after = model.requests
        assert "> Never push on Fridays." in json.dumps(after), "told once more after a compaction"
    assert model.answer in kept(project)


def test_gemini_tells_its_model_and_keeps_what_was_said(project: Project) -> None:
    prepared(project, "gemini")
    settings = Path.home() / ".gemini/settings.json"
    content = json.loads(settings.read_text())
    content["security"] = {"auth": {"selectedType": "gemini-api-key"}}
    settings.write_text(json.dumps(content))
    with fake_model() as model:
        done = run_tool(
            *("gemini", "-p", PROMPT, "-m", "gemini-2.5-flash"),
            cwd=project.root,
            environment={
                "GEMINI_CLI_TRUST_WORKSPACE": "true",
                "GEMINI_API_KEY": "x",
                "GOOGLE_GEMINI_BASE_URL": model.url,
                "HEIMDALL_FETCH": "never",
            },
            tools="node_assistants",
        )
        assert ANSWER in done.stdout, done.stderr
        # It writes ">" so that none of it can be a tag.
        assert "&gt; Never push on Fridays." in model.seen()
    assert kept(project) == {"Never push on Fridays.", "The tower has forty floors.", ANSWER}


def test_gemini_accepts_the_extension() -> None:
    extension = str(ROOT / "heimdall/plugin/gemini")
    done = run_tool(
        *("gemini", "extensions", "validate", extension), cwd=ROOT, tools="node_assistants"
    )
    assert done.returncode == 0, done.stderr
    assert "successfully validated" in done.stdout + done.stderr


def claude(*arguments: str, cwd: Path, **variables: str) -> str:
    # The program of this platform itself: what starts it is made by a script that npm is told not to run.
    found = sorted((CACHE / "node_hooks/node_modules/@anthropic-ai").glob("claude-code-*/claude*"))
    if not found:
        pytest.skip(
            "what is pinned is not installed: python -m tests.support.node_tools node_hooks"
        )
    done = subprocess.run(
        [str(found[0]), *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PWD": str(cwd), "HEIMDALL_FETCH": "never", **variables},
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("folder", [".", "heimdall/plugin/assistants"])
def test_claude_code_accepts_marketplace_and_plugin(folder: str) -> None:
    assert "Validation passed" in claude("plugin", "validate", str(ROOT / folder), cwd=ROOT)


def test_claude_codes_compaction_keeps_what_matters_and_leaves_its_summary(
    project: Project,
) -> None:
    prepared(project, "claude-code")
    with fake_model() as model:
        variables = {
            "ANTHROPIC_BASE_URL": model.url,
            "ANTHROPIC_API_KEY": "x",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        }
        claude("-p", PROMPT, cwd=project.root, **variables)
        assert "> Never push on Fridays." in model.seen()
        asked = len(model.requests)
        model.answer = "The user wants a tower. It has forty floors and no lift."
        claude("-p", "--continue", "/compact", cwd=project.root, **variables)
        compaction = json.dumps(model.requests[asked:])
    assert "Keep in the summary what of this project's memory" in compaction
    assert "> The tower has forty floors." in compaction
    assert kept(project) == {
        "Never push on Fridays.",
        "The tower has forty floors.",
        ANSWER,
        model.answer,
    }
