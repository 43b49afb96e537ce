"""One SQLite database per project: the only place where its memories are."""
