-- What a question's words are compared with one by one: a row of int8 for each of a memory's tokens. `model` is the
-- space of the memory's vector with the way of coding behind it.
CREATE TABLE tokens (
    memory INTEGER PRIMARY KEY REFERENCES embeddings (memory) ON DELETE CASCADE,
    model INTEGER NOT NULL REFERENCES models (model),
    codes BLOB NOT NULL
) STRICT;

CREATE TRIGGER tokens_added AFTER INSERT ON tokens BEGIN
    UPDATE models SET embeddings = embeddings + 1 WHERE model = new.model;
END;

CREATE TRIGGER tokens_remade AFTER UPDATE OF model ON tokens WHEN old.model <> new.model BEGIN
    UPDATE models SET embeddings = embeddings - 1 WHERE model = old.model;
    UPDATE models SET embeddings = embeddings + 1 WHERE model = new.model;
END;

CREATE TRIGGER tokens_deleted AFTER DELETE ON tokens BEGIN
    UPDATE models SET embeddings = embeddings - 1 WHERE model = old.model;
END;

-- What says the same has the same tokens, as it has the same vector.
CREATE TRIGGER embedding_repeated AFTER INSERT ON embeddings BEGIN
    INSERT INTO tokens (memory, model, codes)
        SELECT new.memory, tokens.model, codes
        FROM memories AS one JOIN memories AS other USING (content_hash) JOIN tokens ON tokens.memory = other.key
        WHERE one.key = new.memory AND other.key <> new.memory ORDER BY tokens.model DESC LIMIT 1;
END;
