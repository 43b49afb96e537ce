-- Times are microseconds since 1970-01-01 UTC. Booleans are 0 and 1.

-- What the user's installation knows this database by (storage/known.py). It is in a page of its own that is never written
-- again, so that it can be read without looking at the write-ahead log.
CREATE TABLE secret (one INTEGER PRIMARY KEY CHECK (one = 1), secret BLOB NOT NULL CHECK (length(secret) = 32)) STRICT;

CREATE TABLE project (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    project_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    -- Rises with every transaction that changes something: who knows revision N asks for what is newer than N.
    revision INTEGER NOT NULL DEFAULT 0,
    -- How many memories there are; triggers count.
    memories INTEGER NOT NULL DEFAULT 0,
    -- The oldest revision from which on `deletions` is complete.
    deletions_since INTEGER NOT NULL DEFAULT 0
) STRICT;

-- A random number for each of the latest revisions. Where a backup came back, revision N may be reached a second time by
-- other changes: whoever kept something of N sees by the stamp whether this is still the same history.
CREATE TABLE revisions (
    revision INTEGER PRIMARY KEY,
    stamp INTEGER NOT NULL
) STRICT;

CREATE TRIGGER revision_stamped AFTER UPDATE OF revision ON project BEGIN
    INSERT OR REPLACE INTO revisions (revision, stamp) VALUES (new.revision, random());
    DELETE FROM revisions WHERE revision <= new.revision - 10000;
END;

CREATE TABLE memories (
    -- Never used again after a deletion, so that indexes outside of the database can go by it.
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    text TEXT NOT NULL,
    context TEXT NOT NULL,
    type TEXT NOT NULL CHECK (type IN ('concept', 'context', 'episode')),
    -- A JSON array, in the user's order; memory_tags follows it.
    tags TEXT NOT NULL,
    -- What it can be found by besides: parts of identifiers, pairs of characters, its date (core/search_words.py).
    words TEXT NOT NULL,
    source TEXT,
    -- How it came here (core/memory.py).
    origin TEXT NOT NULL CHECK (origin IN ('stored', 'document', 'commit', 'captured', 'adopted')),
    importance REAL NOT NULL CHECK (importance BETWEEN 0 AND 1),
    pinned INTEGER NOT NULL CHECK (pinned IN (0, 1)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    metadata TEXT NOT NULL,
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

-- Keywords. The text stays in `memories`; this holds the index alone.
CREATE VIRTUAL TABLE memory_words USING fts5 (
    text, context, tags, words,
    content = 'memories', content_rowid = 'key',
    tokenize = 'porter unicode61 remove_diacritics 2'
);

-- Which models made vectors here, by a label that tells everything that changes a vector.
CREATE TABLE models (
    model INTEGER PRIMARY KEY AUTOINCREMENT,
    label TEXT NOT NULL UNIQUE,
    -- How many memories have a row of this model in `embeddings`; triggers count.
    embeddings INTEGER NOT NULL DEFAULT 0,
    -- How many bytes each of its vectors has.
    size INTEGER NOT NULL
) STRICT;

-- A memory's vector, or the reason why it can't have one.
CREATE TABLE embeddings (
    memory INTEGER PRIMARY KEY REFERENCES memories (key) ON DELETE CASCADE,
    model INTEGER NOT NULL REFERENCES models (model),
    -- float32, little-endian.
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

-- A vector of what a memory said before would be found for words that are no longer there.
CREATE TRIGGER memory_changed AFTER UPDATE OF content_hash ON memories WHEN old.content_hash <> new.content_hash BEGIN
    DELETE FROM embeddings WHERE memory = new.key;
    INSERT INTO embeddings (memory, model, vector, failure, revision)
        SELECT new.key, model, vector, failure, new.revision FROM memories JOIN embeddings ON memory = key
        WHERE memories.content_hash = new.content_hash AND key <> new.key ORDER BY model DESC LIMIT 1;
END;

-- What says the same has the same vector: a file that moved is not embedded again.
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
