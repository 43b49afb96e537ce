-- What the loaders remember of what they loaded, so that a repeat does only what is left. Not part of any memory.
CREATE TABLE load_states (
    source TEXT PRIMARY KEY,
    state TEXT NOT NULL
) STRICT, WITHOUT ROWID;
