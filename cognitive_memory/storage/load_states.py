"""What the loaders remember of what they loaded: a JSON object for each source."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping

from cognitive_memory.core.memory import Json
from cognitive_memory.storage.connections import Transaction
from cognitive_memory.storage.rows import as_json


def read(connection: sqlite3.Connection) -> dict[str, Mapping[str, Json]]:
    """Every state, by source."""
    rows = connection.execute("SELECT source, state FROM load_states ORDER BY source")
    return {source: json.loads(state) for source, state in rows}


def write(transaction: Transaction, states: Mapping[str, Mapping[str, Json] | None]) -> None:
    """Remember states; None forgets. No memory changes, so the revision stays."""
    for source, state in states.items():
        if state is None:
            transaction.connection.execute("DELETE FROM load_states WHERE source = ?", (source,))
        else:
            transaction.connection.execute(
                "REPLACE INTO load_states VALUES (?, ?)", (source, as_json(state))
            )
