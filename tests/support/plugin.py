"""The plugin that assistants install, written from the tables of the code: `python -m tests.support.plugin [--check]`.

`heimdall/plugin/assistants/` serves Claude Code, Codex and Copilot CLI, `heimdall/plugin/gemini/` is an extension of Gemini
CLI; `.claude-plugin/marketplace.json` and `server.json` are where their readers look. With `--check` nothing is written, and
the exit code is 1 if something would be.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Mapping
from typing import Any

from heimdall.hooks.hook_files import seconds
from heimdall.hooks.hosts import HOSTS, Host
from heimdall.hooks.program import NAME, command_line
from tests.support.checkout import ROOT

_SHARED = "heimdall/plugin/assistants"
_GEMINI = "heimdall/plugin/gemini"
_GUIDE = "heimdall/mcp_server/use_memory.md"
_REGISTRY_NAME = "io.github.lcbcFoo/heimdall-mcp-server"
_SHORT = "Long-term memory per project for AI coding assistants, kept on your machine."
_SKILL = """\
---
name: memory
description: How to work with this project's long-term memory (heimdall). Use it before a task, when a decision is made, when something is to be remembered or recalled, and at the end of work that taught something.
---

"""
_SERVER = {"mcpServers": {"heimdall": {"command": "heimdall-mcp", "args": []}}}


def files() -> dict[str, str]:
    """What stands in each file, by its path in the checkout."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    guide = (ROOT / _GUIDE).read_text("utf-8")
    about = {
        "name": "heimdall",
        "version": project["version"],
        "description": _SHORT,
        "author": {"name": "lcbcFoo", "url": "https://github.com/lcbcFoo"},
        "homepage": project["urls"]["Homepage"],
        "repository": project["urls"]["Homepage"],
        "license": project["license"],
        "keywords": project["keywords"],
    }
    market = {
        "name": "heimdall",
        "owner": about["author"],
        "metadata": {"description": _SHORT},
        "plugins": [
            {"name": "heimdall", "source": f"./{_SHARED}", "description": _SHORT, "strict": True}
        ],
    }
    extension = {
        "name": "heimdall",
        "version": project["version"],
        "description": _SHORT,
        "contextFileName": "GEMINI.md",
        **_SERVER,
    }
    return {
        ".claude-plugin/marketplace.json": _json(market),
        "server.json": _json(_registry(project)),
        f"{_SHARED}/.claude-plugin/plugin.json": _json(about),
        f"{_SHARED}/.mcp.json": _json(_SERVER),
        f"{_SHARED}/hooks/hooks.json": _json({"hooks": _hooks(HOSTS["claude-code"], 1)}),
        f"{_SHARED}/skills/memory/SKILL.md": _SKILL + guide,
        f"{_GEMINI}/gemini-extension.json": _json(extension),
        f"{_GEMINI}/hooks/hooks.json": _json({"hooks": _hooks(HOSTS["gemini"], 1000)}),
        f"{_GEMINI}/GEMINI.md": guide,
    }


def _hooks(host: Host, unit: int) -> dict[str, Any]:
    """Hooks that name our program alone: the PATH has it, and every shell reads a bare word. The payload tells the host."""
    return {
        name: [
            {
                "hooks": [
                    {
                        "type": "command",
                        "command": command_line(NAME, event),
                        "timeout": seconds(event) * unit,
                    }
                ]
            }
        ]
        for event, name in host.events.items()
    }


def _registry(project: Mapping[str, Any]) -> dict[str, Any]:
    """The entry in the MCP registry."""
    return {
        "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
        "name": _REGISTRY_NAME,
        "title": "heimdall",
        "description": _SHORT,
        "version": project["version"],
        "repository": {"url": project["urls"]["Homepage"], "source": "github"},
        "packages": [
            {
                "registryType": "pypi",
                "identifier": project["name"],
                "version": project["version"],
                "runtimeHint": "uvx",
                "transport": {"type": "stdio"},
            }
        ],
    }


def _json(content: object) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    """Write what is not as it should be, or with `--check` only name it."""
    wrong = 0
    for name, text in files().items():
        path = ROOT / name
        if path.is_file() and path.read_bytes() == text.encode():
            continue
        wrong += 1
        print(f"{name} {'differs' if '--check' in sys.argv else 'written'}")
        if "--check" not in sys.argv:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
    return int("--check" in sys.argv and wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
