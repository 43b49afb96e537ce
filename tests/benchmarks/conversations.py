"""LoCoMo's conversations (Maharana et al., "Evaluating very long-term conversational memory of LLM agents", ACL 2024), read
from a file that is given: evaluation data is no part of the project.

The file is a list of `{"id", "sessions": [{"n", "date", "turns": [{"speaker", "dia_id", "text"}]}], "qa": [{"question",
"evidence": [dia_id, …]}]}`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from cognitive_memory.core.memory import NewMemory


@dataclass(frozen=True)
class Turn:
    """What somebody said; `before` is what was said before it in the same session."""

    id: str
    session: int
    date: datetime
    text: str
    before: str

    @property
    def memory_id(self) -> str:
        return str(uuid5(NAMESPACE_OID, self.id))

    def as_memory(self) -> NewMemory:
        return NewMemory(
            text=self.text,
            context=self.before,
            created_at=self.date,
            source=f"session {self.session}",
            id=self.memory_id,
        )


@dataclass(frozen=True)
class Question:
    """A question, and the ids of the turns that answer it; at least one."""

    text: str
    evidence: frozenset[str]


@dataclass(frozen=True)
class Conversation:
    """A conversation with its questions; `malformed` evidence ids name no turn, `unanswerable` questions have no other."""

    id: str
    turns: Sequence[Turn]
    questions: Sequence[Question]
    malformed: int
    unanswerable: int

    def sessions_of(self, turns: Sequence[str] | frozenset[str]) -> set[int]:
        known = {turn.id: turn.session for turn in self.turns}
        return {known[turn] for turn in turns}


def read(path: Path) -> list[Conversation]:
    """All conversations of a file."""
    return [_conversation(content) for content in json.loads(path.read_text(encoding="utf-8"))]


def _conversation(content: dict[str, Any]) -> Conversation:
    turns: list[Turn] = []
    for session in content["sessions"]:
        date = datetime.strptime(session["date"], "%I:%M %p on %d %B, %Y").replace(tzinfo=UTC)
        before = ""
        for turn in session["turns"]:
            text = f"{turn['speaker']}: {turn['text']}"
            turns.append(Turn(turn["dia_id"], session["n"], date, text, before))
            before = text
    known = {turn.id for turn in turns}
    asked = [(item["question"], frozenset(item["evidence"])) for item in content["qa"]]
    questions = [Question(text, evidence & known) for text, evidence in asked if evidence & known]
    return Conversation(
        id=str(content["id"]),
        turns=turns,
        questions=questions,
        malformed=sum(len(evidence - known) for _, evidence in asked),
        unanswerable=len(asked) - len(questions),
    )
