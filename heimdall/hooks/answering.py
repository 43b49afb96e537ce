"""From an event of a conversation to what is done at it, and to what the model is told."""

from __future__ import annotations

import logging
import os
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from functools import partial
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
    from cognitive_memory.storage.reading import Reader
    from cognitive_memory.storage.store import MemoryStore

_log = logging.getLogger(__name__)
_BEGUN_ANEW = ("clear", "compact")
"""Why a session starts when the model has forgotten what it was shown."""


def told(payload: Payload) -> str:
    """What the model is told at an event; what is to be kept of the conversation is kept.

    Where there is no project, what holds in all of the user's is told, and nothing is kept.

    Raises:
        HeimdallError, OSError: the memory can't be used.
    """
    from cognitive_memory.project.errors import NoProjectError

    if payload.event is Event.USER_PROMPT:
        answer = _to_a_prompt(payload)
        if Event.STOP not in payload.host.events:  # no later event tells what was said
            with suppress(NoProjectError):
                keep(_project(payload.folder), _heard(payload))
        return answer
    try:
        project: Project | None = _project(payload.folder)
    except NoProjectError:
        project = None
    if payload.event is Event.SESSION_START:
        return _at_the_start(payload, project)
    if project is None:
        return ""
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


def _at_the_start(payload: Payload, project: Project | None) -> str:
    from heimdall.hooks.beginning import at_the_start

    with ExitStack() as open_stores:
        store = _opened(project, open_stores) if project else None
        users = _users(open_stores)
        main = store or users
        if main is None:
            return ""
        project_id = main.prepared.project_id
        before = sessions.last_seen(project_id)
        session = _session(payload, project_id)
        if payload.source in _BEGUN_ANEW:
            session.shown.clear()
            session.revision = before = None
        reader, users_reader = _reader(store, open_stores), _reader(users, open_stores)
        seen = before if session.revision is None else session.revision
        told = at_the_start(reader, users_reader, seen=seen, known=session.shown)
        asked = reader or users_reader
        assert asked is not None  # noqa: S101 (one of the stores is there)
        revision = asked.revision()
    session.keep(revision, told.ids)
    return told.text


def _to_a_prompt(payload: Payload) -> str:
    from cognitive_memory.joint_memory import existing_memories
    from heimdall.hooks.relevant import is_worth_asking, to_a_prompt

    if not is_worth_asking(payload.prompt):
        return ""
    with existing_memories(partial(_project, payload.folder)) as memories:
        main = next(iter(memories.memories.values()), None)
        if main is None:
            return ""
        session = _session(payload, main.project_id)
        told = to_a_prompt(memories, payload.prompt, known=session.shown)
        if told.ids:
            with main.storage.reading() as reader:
                before = session.revision
                session.keep(reader.revision() if before is None else before, told.ids)
    return told.text


def _to_survive(payload: Payload, project: Project) -> str:
    from heimdall.hooks.beginning import to_survive

    if Event.PRE_COMPACT not in payload.host.answers:
        return ""
    with ExitStack() as open_stores:
        store = _opened(project, open_stores)
        if store is None:
            return ""
        session = _session(payload, store.prepared.project_id)
        users = _reader(_users(open_stores), open_stores)
        reader = open_stores.enter_context(store.reading())
        return to_survive(reader, users, shown=session.shown, seen=session.revision).text


def _opened(project: Project, open_stores: ExitStack) -> MemoryStore | None:
    if store := store_of(project):
        open_stores.callback(store.close)
    return store


def _users(open_stores: ExitStack) -> MemoryStore | None:
    """The user's own; one that can't be used is no reason to tell nothing of the project."""
    from cognitive_memory.project.user import user_place
    from heimdall.errors import HeimdallError

    try:
        place = user_place()
        place.check()
        return _opened(place, open_stores)
    except HeimdallError as error:
        _log.warning("hook: what holds in all projects was left out: %s", error)
        return None


def _reader(store: MemoryStore | None, open_stores: ExitStack) -> Reader | None:
    return open_stores.enter_context(store.reading()) if store else None


def _session(payload: Payload, project_id: str) -> sessions.Session:
    return sessions.session(project_id, payload.host.name, payload.session)


def _project(folder: Path) -> Project:
    """The project of the folder in which the assistant works, unless the user has named one."""
    from cognitive_memory.project.find import VARIABLE, find_project

    return find_project() if os.environ.get(VARIABLE) else find_project(folder)
