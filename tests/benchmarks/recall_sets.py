"""What recall is evaluated with: questions with their answers, and the databases that they are asked of.

All is read from a folder that is given (its README tells the formats): evaluation data is no part of the project.
`locomo*.json` are conversations, `repositories*.json` questions about repositories with memories to be stored by hand, and
`issues*.json` issues with the commits that fixed them.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from cognitive_memory.core.memory import Memory, NewMemory
from cognitive_memory.ingest.folders import load_paths
from cognitive_memory.ingest.git_history import GitOptions, load_history
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.storage.store import MemoryStore
from tests.benchmarks import conversations
from tests.benchmarks.conversations import Conversation
from tests.benchmarks.recall_engine import Engine

HEADS = {"pallets/flask": "2ac89889", "tokio-rs/axum": "3d78036d", "basecamp/kamal": "eee0083b"}
"""The commit of each repository that its questions are about, unless the data names another."""


@dataclass(frozen=True)
class Asked:
    """A question about a repository, and the memories that are right."""

    repository: str
    text: str
    accepts: Callable[[Memory], bool]


@dataclass(frozen=True)
class Decision:
    """What somebody stores by hand in a repository, and a question that it alone answers."""

    repository: str
    text: str
    question: str


@dataclass(frozen=True)
class Issue:
    """An issue, and the commits that fixed it."""

    repository: str
    head: str
    statement: str
    fix: frozenset[str]

    @property
    def title(self) -> str:
        return self.statement.strip().split("\n", 1)[0]


@dataclass(frozen=True)
class Sets:
    """All that a folder has."""

    conversations: list[Conversation]
    questions: list[Asked]
    decisions: list[Decision]
    issues: list[Issue]
    heads: dict[str, str]

    @classmethod
    def read(cls, folder: Path) -> Sets:
        repositories = [*_contents(folder, "repositories")]
        return cls(
            conversations=[
                each
                for path in sorted(folder.glob("locomo*.json"))
                for each in conversations.read(path)
            ],
            questions=[_asked(item) for each in repositories for item in each["questions"]],
            decisions=[
                Decision(item["repository"], item["text"], item["question"])
                for each in repositories
                for item in each["stored"]
            ],
            issues=[
                Issue(item["repository"], item["head"], item["statement"], frozenset(item["fix"]))
                for each in _contents(folder, "issues")
                for item in each
            ],
            heads={
                **HEADS,
                **{
                    name: head
                    for each in repositories
                    for name, head in each.get("heads", {}).items()
                },
            },
        )

    @property
    def repositories(self) -> list[str]:
        """Those that are asked about."""
        return list(dict.fromkeys(question.repository for question in self.questions))


def _contents(folder: Path, name: str) -> Iterator[Any]:
    for path in sorted(folder.glob(f"{name}*.json")):
        yield json.loads(path.read_text(encoding="utf-8"))


def _asked(item: dict[str, Any]) -> Asked:
    forms = [
        (_pattern(each.get("source", "")), _pattern(each.get("text", "")))
        for each in item["accepted"]
    ]

    def accepts(memory: Memory) -> bool:
        told = f"{memory.context}\n{memory.text}"
        return any(
            source.search(memory.source or "") and text.search(told) for source, text in forms
        )

    return Asked(item["repository"], item["question"], accepts)


def _pattern(text: str) -> re.Pattern[str]:
    """An expression that may say anywhere that case does not count, which Python wants first."""
    return re.compile(text.replace("(?i)", ""), re.IGNORECASE if "(?i)" in text else 0)


class Databases:
    """Databases that are loaded once, in a folder that stays.

    Args:
        folder: where they are kept, with the vectors of all texts ever embedded.
        repositories: holds the repositories: git directories or checkouts, named `owner+name`, or with `repo` below.
        engine: what embeds.
    """

    def __init__(self, folder: Path, repositories: Path | None, engine: Engine) -> None:
        self._folder = folder
        self._repositories = repositories
        self._engine = engine

    def conversation(self, conversation: Conversation) -> ProjectMemory:
        """The turns of a conversation."""
        memory = self._open(f"locomo-{conversation.id}")
        if not memory.storage.status().memories:
            memory.store_many([turn.as_memory() for turn in conversation.turns])
        memory.embed_pending()
        return memory

    def repository(self, name: str, head: str, decisions: Iterable[Decision]) -> ProjectMemory:
        """The files and the history of a repository, and decisions stored by hand."""
        memory = self._open(f"{name.replace('/', '+')}-{head[:8]}")
        if not memory.storage.status().memories:
            checkout = self._checkout(name, head)
            load_paths(memory, [checkout], checkout)
            load_history(memory, checkout, checkout)
        memory.store_many([NewMemory(text=decision.text) for decision in decisions], embed=False)
        memory.embed_pending(progress=_tell(name))
        return memory

    def history(self, name: str, head: str) -> ProjectMemory:
        """The history of a repository alone."""
        memory = self._open(f"{name.replace('/', '+')}-{head[:8]}-history")
        if not memory.storage.status().memories:
            checkout = self._checkout(name, head)
            load_history(memory, checkout, checkout, GitOptions(branch=head))
        memory.embed_pending(progress=_tell(name))
        return memory

    def _open(self, name: str) -> ProjectMemory:
        self._folder.mkdir(parents=True, exist_ok=True)
        store = MemoryStore(
            self._folder / f"{name}.db", embedding_space=self._engine.embedding_space
        )
        return ProjectMemory(store, self._engine)

    def _checkout(self, name: str, head: str) -> Path:
        target = self._folder / "checkouts" / f"{name.replace('/', '+')}-{head[:8]}"
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            _git(
                "clone",
                "--quiet",
                "--shared",
                "--no-checkout",
                str(self._origin(name)),
                str(target),
            )
            _git("-C", str(target), "checkout", "--quiet", "--detach", head)
        return target

    def _origin(self, name: str) -> Path:
        if self._repositories is None:
            raise click.UsageError(f"--repositories must name the folder that holds {name}")
        place = self._repositories / name.replace("/", "+")
        for path in (place / "repo", place):
            if (path / "HEAD").is_file() or (path / ".git").exists():
                return path
        raise click.UsageError(f"there is no repository in {place}")


def _git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True)


def _tell(name: str) -> Callable[[int, int], None]:
    def tell(done: int, total: int) -> None:
        if done % 2048 == 0 or done == total:
            click.echo(f"{name}: {done} of {total} embedded", err=True)

    return tell
