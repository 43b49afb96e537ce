-- What changed memories said before. A memory takes its history with it.
CREATE TABLE history (
    entry INTEGER PRIMARY KEY,
    memory INTEGER NOT NULL REFERENCES memories (key) ON DELETE CASCADE,
    -- Since when it said so, and when and how that ended.
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    how TEXT NOT NULL,
    -- A JSON object: what the fields that changed held, by name.
    before TEXT NOT NULL
) STRICT;

CREATE INDEX history_by_memory ON history (memory);
