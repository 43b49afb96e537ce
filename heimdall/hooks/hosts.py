"""The assistants that run hooks: what each calls the events, and in which form it takes an answer.

Seen with the programs themselves, or taken from where the row says. A host drops, or takes for something else, whatever
is not in its own form.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias


class Event(StrEnum):
    """A moment in a conversation, by the name that the command line takes."""

    SESSION_START = "session-start"
    USER_PROMPT = "user-prompt"
    PRE_COMPACT = "pre-compact"
    POST_COMPACT = "post-compact"
    STOP = "stop"
    SESSION_END = "session-end"


Form: TypeAlias = Callable[[str, str], str]
"""What a host reads on stdout, made of its name of the event and of a text for its model."""


def _plain(_name: str, text: str) -> str:
    return text


def _nested(name: str, text: str) -> str:
    return _json({"hookSpecificOutput": {"hookEventName": name, "additionalContext": text}})


def _top(_name: str, text: str) -> str:
    return _json({"additionalContext": text})


def _snake(_name: str, text: str) -> str:
    return _json({"additional_context": text})


def _modification(_name: str, text: str) -> str:
    return _json({"cancel": False, "contextModification": text})


def _json(answer: Mapping[str, Any]) -> str:
    return json.dumps(answer)  # ASCII alone, whatever the host takes for its encoding


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """An assistant that runs hooks.

    Attributes:
        name: as in the table of clients (`heimdall mcp list`).
        events: its names of the events that it has and we use.
        answers: the events at which it takes a text for its model, and in which form.
        variable: an environment variable that its hooks have; empty if there is none.
    """

    name: str
    events: Mapping[Event, str]
    answers: Mapping[Event, Form] = field(default_factory=dict)
    variable: str = ""


def _at(form: Form, *more: Event) -> dict[Event, Form]:
    return dict.fromkeys((Event.SESSION_START, Event.USER_PROMPT, *more), form)


_CLAUDE_EVENTS = {
    Event.SESSION_START: "SessionStart",
    Event.USER_PROMPT: "UserPromptSubmit",
    Event.PRE_COMPACT: "PreCompact",
    Event.POST_COMPACT: "PostCompact",
    Event.STOP: "Stop",
    Event.SESSION_END: "SessionEnd",
}
_OWN_EVENTS = {event: str(event) for event in Event}

HOSTS = {
    host.name: host
    for host in (
        Host(
            name="claude-code",
            events=_CLAUDE_EVENTS,
            # What is printed before a compaction is appended to its instructions.
            answers={**_at(_nested), Event.PRE_COMPACT: _plain},
            variable="CLAUDECODE",
        ),
        # Any key besides makes it drop the answer.
        Host(name="codex", events=_CLAUDE_EVENTS, answers=_at(_nested)),
        Host(
            name="gemini",
            # Its PreCompress comes with every turn, whether anything is compressed or not.
            events={
                Event.SESSION_START: "SessionStart",
                Event.USER_PROMPT: "BeforeAgent",
                Event.STOP: "AfterAgent",
                Event.SESSION_END: "SessionEnd",
            },
            answers=_at(_nested),
            variable="GEMINI_SESSION_ID",
        ),
        Host(
            name="qwen-code",
            events=_CLAUDE_EVENTS,
            answers=_at(_nested),
            variable="QWEN_CODE_SESSION_ID",
        ),
        Host(
            name="copilot-cli",
            events={
                Event.SESSION_START: "sessionStart",
                Event.USER_PROMPT: "userPromptSubmitted",
                Event.PRE_COMPACT: "preCompact",
                Event.STOP: "agentStop",
                Event.SESSION_END: "sessionEnd",
            },
            answers=_at(_top),
            variable="COPILOT_CLI",
        ),
        # https://cursor.com/docs/agent/hooks
        Host(
            name="cursor",
            events={
                Event.SESSION_START: "sessionStart",
                Event.USER_PROMPT: "beforeSubmitPrompt",
                Event.PRE_COMPACT: "preCompact",
                Event.STOP: "stop",
                Event.SESSION_END: "sessionEnd",
            },
            answers=_at(_snake),
        ),
        # https://kiro.dev/docs/cli/hooks; since its version 3 they are called as Claude Code's
        Host(
            name="kiro",
            events={
                Event.SESSION_START: "agentSpawn",
                Event.USER_PROMPT: "userPromptSubmit",
                Event.STOP: "stop",
            },
            answers=_at(_plain),
        ),
        # https://docs.cline.bot/features/hooks
        Host(
            name="cline-vscode",
            events={Event.SESSION_START: "TaskStart", Event.USER_PROMPT: "UserPromptSubmit"},
            answers=_at(_modification),
        ),
        # These load a module, and ours passes on what it reads.
        *(
            Host(name=name, events=_OWN_EVENTS, answers=_at(_plain, Event.PRE_COMPACT))
            for name in ("opencode", "kilo")
        ),
        Host(name="amp", events=_OWN_EVENTS, answers=_at(_plain)),
    )
}
"""The hosts by name."""

_OF_THE_SDK = {Event.SESSION_START: "agent_start", Event.USER_PROMPT: "prompt_submit"}
"""What Cline calls them since it is made of an SDK, as the package @cline/core has it."""

EVENT_NAMES = {
    event: frozenset(
        names[event]
        for names in (_OF_THE_SDK, *(host.events for host in HOSTS.values()))
        if event in names
    )
    for event in Event
}
"""All that hosts call an event: some run the hooks that were written for another."""


def answer(host: Host, event: Event, name: str, text: str) -> str:
    """What to print so that the host's model reads `text`; empty where it can't be told anything.

    Args:
        host: who asks.
        event: the moment.
        name: what the host called it; empty: what it usually does.
        text: what is told.
    """
    form = host.answers.get(event)
    return form(name or host.events[event], text) if form and text else ""
