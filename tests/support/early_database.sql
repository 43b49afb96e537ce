-- What early development versions of heimdall 0.4 made, with one memory.
CREATE TABLE project (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    project_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revision INTEGER NOT NULL DEFAULT 0,
    memories INTEGER NOT NULL DEFAULT 0,
    deletions_since INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE revisions (
    revision INTEGER PRIMARY KEY,
    stamp INTEGER NOT NULL
) STRICT;
CREATE TRIGGER revision_stamped AFTER UPDATE OF revision ON project BEGIN
    INSERT OR REPLACE INTO revisions (revision, stamp) VALUES (new.revision, random());
    DELETE FROM revisions WHERE revision <= new.revision - 10000;
END;
CREATE TABLE memories (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    text TEXT NOT NULL,
    context TEXT NOT NULL,
    type TEXT NOT NULL CHECK (type IN ('concept', 'context', 'episode')),
    tags TEXT NOT NULL CHECK (json_valid(tags)),
    words TEXT NOT NULL,
    source TEXT,
    importance REAL NOT NULL CHECK (importance BETWEEN 0 AND 1),
    pinned INTEGER NOT NULL CHECK (pinned IN (0, 1)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    metadata TEXT NOT NULL CHECK (json_valid(metadata)),
    content_hash BLOB NOT NULL CHECK (length(content_hash) = 32),
    revision INTEGER NOT NULL
) STRICT;
CREATE INDEX memories_by_content ON memories (content_hash);
CREATE INDEX memories_by_creation ON memories (created_at, key);
CREATE INDEX memories_by_revision ON memories (revision);
CREATE INDEX memories_by_source ON memories (source) WHERE source IS NOT NULL;
CREATE INDEX memories_by_type ON memories (type);
CREATE INDEX memories_pinned ON memories (key) WHERE pinned = 1;
CREATE TABLE memory_tags (
    tag TEXT NOT NULL,
    memory INTEGER NOT NULL REFERENCES memories (key) ON DELETE CASCADE,
    PRIMARY KEY (tag, memory)
) STRICT, WITHOUT ROWID;
CREATE INDEX memory_tags_by_memory ON memory_tags (memory);
CREATE VIRTUAL TABLE memory_words USING fts5 (
    text, context, tags, words,
    content = 'memories', content_rowid = 'key',
    tokenize = 'porter unicode61 remove_diacritics 2'
);
CREATE TABLE models (
    model INTEGER PRIMARY KEY AUTOINCREMENT,
    label TEXT NOT NULL UNIQUE,
    embeddings INTEGER NOT NULL DEFAULT 0,
    size INTEGER NOT NULL
) STRICT;
CREATE TABLE embeddings (
    memory INTEGER PRIMARY KEY REFERENCES memories (key) ON DELETE CASCADE,
    model INTEGER NOT NULL REFERENCES models (model),
    vector BLOB CHECK (length(vector) > 0 AND length(vector) % 4 = 0),
    failure TEXT,
    revision INTEGER NOT NULL,
    CHECK ((vector IS NULL) <> (failure IS NULL))
) STRICT;
CREATE INDEX embeddings_by_revision ON embeddings (revision);
CREATE INDEX embeddings_by_model ON embeddings (model);
CREATE INDEX embeddings_impossible ON embeddings (model) WHERE failure IS NOT NULL;
CREATE TABLE deletions (
    revision INTEGER NOT NULL,
    memory INTEGER NOT NULL,
    PRIMARY KEY (revision, memory)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER memory_added AFTER INSERT ON memories BEGIN
    INSERT INTO memory_tags (tag, memory) SELECT DISTINCT value, new.key FROM json_each(new.tags);
    INSERT INTO memory_words (rowid, text, context, tags, words)
        VALUES (new.key, new.text, new.context, new.tags, new.words);
    UPDATE project SET memories = memories + 1;
END;
CREATE TRIGGER memory_reworded AFTER UPDATE OF text, context, tags, words ON memories BEGIN
    INSERT INTO memory_words (memory_words, rowid, text, context, tags, words)
        VALUES ('delete', old.key, old.text, old.context, old.tags, old.words);
    INSERT INTO memory_words (rowid, text, context, tags, words)
        VALUES (new.key, new.text, new.context, new.tags, new.words);
END;
CREATE TRIGGER memory_retagged AFTER UPDATE OF tags ON memories BEGIN
    DELETE FROM memory_tags WHERE memory = new.key;
    INSERT INTO memory_tags (tag, memory) SELECT DISTINCT value, new.key FROM json_each(new.tags);
END;
CREATE TRIGGER memory_changed AFTER UPDATE OF content_hash ON memories WHEN old.content_hash <> new.content_hash BEGIN
    DELETE FROM embeddings WHERE memory = new.key;
    INSERT INTO embeddings (memory, model, vector, failure, revision)
        SELECT new.key, model, vector, failure, new.revision FROM memories JOIN embeddings ON memory = key
        WHERE memories.content_hash = new.content_hash AND key <> new.key ORDER BY model DESC LIMIT 1;
END;
CREATE TRIGGER memory_repeated AFTER INSERT ON memories BEGIN
    INSERT INTO embeddings (memory, model, vector, failure, revision)
        SELECT new.key, model, vector, failure, new.revision FROM memories JOIN embeddings ON memory = key
        WHERE memories.content_hash = new.content_hash AND key <> new.key ORDER BY model DESC LIMIT 1;
END;
CREATE TRIGGER memory_deleted AFTER DELETE ON memories BEGIN
    INSERT INTO memory_words (memory_words, rowid, text, context, tags, words)
        VALUES ('delete', old.key, old.text, old.context, old.tags, old.words);
    INSERT INTO deletions (revision, memory) SELECT revision, old.key FROM project;
    UPDATE project SET memories = memories - 1;
END;
CREATE TRIGGER embedding_added AFTER INSERT ON embeddings BEGIN
    UPDATE models SET embeddings = embeddings + 1 WHERE model = new.model;
END;
CREATE TRIGGER embedding_remade AFTER UPDATE OF model ON embeddings WHEN old.model <> new.model BEGIN
    UPDATE models SET embeddings = embeddings - 1 WHERE model = old.model;
    UPDATE models SET embeddings = embeddings + 1 WHERE model = new.model;
END;
CREATE TRIGGER embedding_deleted AFTER DELETE ON embeddings BEGIN
    UPDATE models SET embeddings = embeddings - 1 WHERE model = old.model;
END;
CREATE TABLE load_states (
    source TEXT PRIMARY KEY,
    state TEXT NOT NULL CHECK (json_valid(state))
) STRICT, WITHOUT ROWID;
INSERT INTO project (one, project_id, created_at) VALUES (1, 'd87b289b-90c7-427a-b6c8-10c5db13259b', 1700000000000000);
INSERT INTO memories (id, text, context, type, tags, words, source, importance, pinned, created_at, updated_at, metadata, content_hash, revision)
VALUES ('6f1a0c5e-7b1d-4c7e-9a3b-2d1e0f9c8b7a', 'early', '', 'episode', '["a"]', '', NULL, 0.5, 1, 1700000000000000, 1700000000000000, '{}', zeroblob(32), 1);
PRAGMA user_version = 2;
PRAGMA application_id = 1213023308;
