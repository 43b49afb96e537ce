from __future__ import annotations

from cognitive_memory.core.memory import NewMemory
from cognitive_memory.project_memory import ProjectMemory


def test_tags_are_found_whatever_their_case(memory: ProjectMemory) -> None:
    tagged = [("Decision", "ß"), ("decision", "Größe"), ("DECISION", "x"), ("indecision", "x")]
    memory.store_many(NewMemory(text=" ".join(tags), tags=tags) for tags in tagged)
    with memory.storage.reading() as reader:
        assert reader.tags_like([]) == []
        assert reader.tags_like(["unheard of", ""]) == []
        assert reader.tags_like(["deCision "]) == ["DECISION", "Decision", "decision"]
        assert reader.tags_like(["GRÖSSE", "ẞ", "X"]) == ["Größe", "x", "ß"]
