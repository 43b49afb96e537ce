"""From an event of a conversation to what is done at it, and to what the model is told."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from heimdall.hooks import sessions
from heimdall.hooks.capture import Conversation
from heimdall.hooks.hosts import Event
from heimdall.hooks.keeping import Heard, keep, store_of
from heimdall.hooks.payload import Payload
from heimdall.hooks.turns import Speaker, Turn

if TYPE_CHECKING:
    from cognitive_memory.project.find import Project

_BEGUN_ANEW = ("clear", "compact")
"""Why a session starts when the model has forgotten what it was shown."""


def told(payload: Payload) -> str:
    """What the model is told at an event; what is to be kept of the conversation is kept.

    Raises:
        HeimdallError, OSError: the memory can't be used.
    """
    project = _project(payload.folder)
    if payload.event is Event.SESSION_START:
        return _at_the_start(payload, project)
    if payload.event is Event.USER_PROMPT:
        return _to_a_prompt(payload, project)
    keep(project, _heard(payload))
    return _to_survive(payload, project) if payload.event is Event.PRE_COMPACT else ""


def _heard(payload: Payload) -> Heard:
    """What is to be kept at an event that follows something that was said."""
    said = (
        (Speaker.SUMMARY, payload.summary),
        (Speaker.USER, payload.prompt),
        (Speaker.ASSISTANT, payload.message),
    )
    now = datetime.now(UTC)
    return Heard(
        Conversation(payload.host.name, payload.session),
        payload.transcript,
        [Turn(speaker, text, now) for speaker, text in said if text.strip()],
        ended=payload.event in {Event.STOP, Event.SESSION_END},
    )


def _at_the_start(payload: Payload, project: Project) -> str:
    from heimdall.hooks.beginning import at_the_start

    store = store_of(project)
    if store is None:
        return ""
    project_id = store.prepared.project_id
    before = sessions.last_seen(project_id)
    session = _session(payload, project_id)
    if payload.source in _BEGUN_ANEW:
        session.shown.clear()
        session.revision = before = None
    try:
        with store.reading() as reader:
            seen = before if session.revision is None else session.revision
            told = at_the_start(reader, seen=seen, known=session.shown)
            revision = reader.revision()
    finally:
        store.close()
    session.keep(revision, told.ids)
    return told.text


def _to_a_prompt(payload: Payload, project: Project) -> str:
    from cognitive_memory.opening import existing_memory
    from heimdall.hooks.relevant import is_worth_asking, to_a_prompt

    if not is_worth_asking(payload.prompt):
        return ""
    memory = existing_memory(project)
    if memory is None:
        return ""
    with memory:
        session = _session(payload, memory.project_id)
        told = to_a_prompt(memory, payload.prompt, known=session.shown)
        if told.ids:
            with memory.storage.reading() as reader:
                before = session.revision
                session.keep(reader.revision() if before is None else before, told.ids)
    return told.text


def _to_survive(payload: Payload, project: Project) -> str:
    from heimdall.hooks.beginning import to_survive

    if Event.PRE_COMPACT not in payload.host.answers:
        return ""
    store = store_of(project)
    if store is None:
        return ""
    session = _session(payload, store.prepared.project_id)
    try:
        with store.reading() as reader:
            return to_survive(reader, shown=session.shown, seen=session.revision).text
    finally:
        store.close()


def _session(payload: Payload, project_id: str) -> sessions.Session:
    return sessions.session(project_id, payload.host.name, payload.session)


def _project(folder: Path) -> Project:
    """The project of the folder in which the assistant works, unless the user has named one."""
    from cognitive_memory.project.find import VARIABLE, find_project

    return find_project() if os.environ.get(VARIABLE) else find_project(folder)
