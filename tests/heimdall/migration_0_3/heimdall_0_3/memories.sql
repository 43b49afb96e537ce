BEGIN TRANSACTION;
CREATE TABLE memories (
    id TEXT PRIMARY KEY,
    content TEXT NOT NULL,
    memory_type TEXT NOT NULL,
    hierarchy_level INTEGER NOT NULL CHECK (hierarchy_level IN (0, 1, 2)),
    dimensions TEXT NOT NULL,  -- JSON serialized dimensions
    timestamp REAL NOT NULL,
    strength REAL NOT NULL DEFAULT 1.0 CHECK (strength >= 0.0 AND strength <= 1.0),
    access_count INTEGER NOT NULL DEFAULT 0,
    last_accessed REAL,
    created_at REAL NOT NULL DEFAULT (julianday('now')),
    updated_at REAL NOT NULL DEFAULT (julianday('now')),

    -- Memory lifecycle tracking
    decay_rate REAL NOT NULL DEFAULT 0.1,
    importance_score REAL NOT NULL DEFAULT 0.0,
    consolidation_status TEXT NOT NULL DEFAULT 'none'
        CHECK (consolidation_status IN ('none', 'candidate', 'consolidated')),

    -- Optional metadata
    tags TEXT,  -- JSON array of tags
    context_metadata TEXT  -- JSON object for additional context
, cognitive_embedding TEXT);
INSERT INTO "memories" VALUES('11111111-2222-4333-8444-555555555555','Retries must have jitter: without it all clients come back at once.','semantic',1,'{}',1750761000.25,1.0,4,2.46136787890033563604e+06,1.79542473697164082528e+09,2.46136787890037056058e+06,0.1,0.0,'none','["session_lesson", "pattern"]','{"source_type": "session_lesson", "hierarchy_level": 1, "memory_type": "semantic", "importance_score": 0.8, "tags": ["session_lesson", "pattern"], "source_info": "Session Lesson (pattern)", "metadata": {"loader_type": "session_lesson", "lesson_type": "pattern", "importance_level": "high"}}','[-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0]');
INSERT INTO "memories" VALUES('aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee','Wir nehmen SQLite im WAL-Modus. 日本語 ✓','semantic',0,'{"emotional": [0.1, 0.0], "temporal": [0.5]}',1750761000.25,0.75,0,1.79542473697358512881e+09,1.79542473697358512881e+09,1.79542473697358512881e+09,0.02,0.9,'none',NULL,NULL,'[-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0]');
INSERT INTO "memories" VALUES('0b0b0b0b-1c1c-4d2d-8e3e-4f4f4f4f4f4f','guide - Deployment: the blue-green switch is done by the load balancer.','episodic',1,'{}',1750761000.25,1.0,0,1.79542473697590065006e+09,1.79542473697590065006e+09,1.79542473697590065006e+09,0.1,0.0,'none',NULL,'{"source_type": "documentation", "title": "Deployment", "source_path": "/home/someone/project/docs/guide.md", "hierarchical_path": ["Guide", "Deployment"], "loader_type": "markdown", "file_modified_date": null}','[-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0]');
INSERT INTO "memories" VALUES('8f1d3c5b-7a9e-0246-8135-79bdf02468ac','Git commit by Ann: Fix the off-by-one in the pager','episodic',2,'{}',1750761000.25,0.5,0,1.79542473698141169546e+09,1.79542473698141169546e+09,1.79542473698141169546e+09,0.1,0.0,'none',NULL,'{"source_type": "git_commit", "type": "git_commit", "source_path": "/home/someone/project", "commit_hash": "8f1d3c5b7a9e0246813579bdf02468ace13579bd", "author_name": "Ann", "timestamp": "2024-02-29T23:59:58+02:00", "affected_files": ["pager.py"]}','[-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0]');
INSERT INTO "memories" VALUES('note-1','An id that is no UUID.','episodic',2,'{}',1750761000.25,1.0,0,1.79542473698345494267e+09,1.79542473698345494267e+09,1.79542473698345494267e+09,0.1,0.0,'none',NULL,NULL,NULL);
INSERT INTO "memories" VALUES('22222222-2222-4222-8222-222222222222','  
','episodic',2,'{}',1750761000.25,1.0,0,1.79542473698727774616e+09,1.79542473698727774616e+09,1.79542473698727774616e+09,0.1,0.0,'none',NULL,NULL,NULL);
CREATE TABLE memory_connections (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source_id TEXT NOT NULL,
    target_id TEXT NOT NULL,
    strength REAL NOT NULL CHECK (strength >= 0.0 AND strength <= 1.0),
    connection_type TEXT NOT NULL DEFAULT 'associative',
    created_at REAL NOT NULL DEFAULT (julianday('now')),
    last_activated REAL,
    activation_count INTEGER NOT NULL DEFAULT 0,

    -- Connection metadata
    weight REAL NOT NULL DEFAULT 1.0,
    bidirectional BOOLEAN NOT NULL DEFAULT 1,
    context TEXT,  -- JSON object for connection context

    -- Constraints
    UNIQUE(source_id, target_id, connection_type),
    FOREIGN KEY (source_id) REFERENCES memories (id) ON DELETE CASCADE,
    FOREIGN KEY (target_id) REFERENCES memories (id) ON DELETE CASCADE
);
INSERT INTO "memory_connections" VALUES(1,'11111111-2222-4333-8444-555555555555','aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee',0.8,'supports',2.46136787890038173653e+06,2.46136787890038173653e+06,1,0.8,1,NULL);
INSERT INTO "memory_connections" VALUES(2,'11111111-2222-4333-8444-555555555555','note-1',0.5,'associative',2.46136787890040501956e+06,2.46136787890040501956e+06,1,0.5,1,NULL);
CREATE TABLE retrieval_stats (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    query_type TEXT NOT NULL,
    query_hash TEXT NOT NULL,
    memory_id TEXT NOT NULL,
    retrieval_score REAL NOT NULL,
    retrieval_rank INTEGER NOT NULL,
    user_feedback INTEGER,  -- -1 (negative), 0 (neutral), 1 (positive)
    session_id TEXT,
    timestamp REAL NOT NULL DEFAULT (julianday('now')),

    -- Query context
    query_metadata TEXT,  -- JSON serialized query context
    retrieval_metadata TEXT,  -- JSON serialized retrieval context

    -- Performance metrics
    search_latency_ms REAL,
    total_candidates INTEGER,

    -- Constraints
    FOREIGN KEY (memory_id) REFERENCES memories (id) ON DELETE CASCADE
);
INSERT INTO "retrieval_stats" VALUES(1,'recall','cafe','11111111-2222-4333-8444-555555555555',0.7,1,NULL,NULL,2.46136787890042830258e+06,NULL,NULL,NULL,NULL);
CREATE TABLE schema_migrations (
                version TEXT PRIMARY KEY,
                applied_at REAL NOT NULL DEFAULT (julianday('now'))
            );
INSERT INTO "schema_migrations" VALUES('001_memories',2.46136787890009256073e+06);
INSERT INTO "schema_migrations" VALUES('002_memory_connections',2.46136787890009256073e+06);
INSERT INTO "schema_migrations" VALUES('004_retrieval_stats',2.46136787890009256073e+06);
INSERT INTO "schema_migrations" VALUES('005_add_embedding_column',2.46136787890010420225e+06);
INSERT INTO "schema_migrations" VALUES('006_source_path_index',2.46136787890010420225e+06);
CREATE INDEX idx_memories_type ON memories (memory_type);
CREATE INDEX idx_memories_level ON memories (hierarchy_level);
CREATE INDEX idx_memories_timestamp ON memories (timestamp);
CREATE INDEX idx_memories_strength ON memories (strength);
CREATE INDEX idx_memories_access_count ON memories (access_count);
CREATE INDEX idx_memories_last_accessed ON memories (last_accessed);
CREATE INDEX idx_memories_consolidation ON memories (consolidation_status);
CREATE INDEX idx_connections_source ON memory_connections (source_id);
CREATE INDEX idx_connections_target ON memory_connections (target_id);
CREATE INDEX idx_connections_strength ON memory_connections (strength);
CREATE INDEX idx_connections_type ON memory_connections (connection_type);
CREATE INDEX idx_connections_activated ON memory_connections (last_activated);
CREATE INDEX idx_retrieval_stats_query ON retrieval_stats (query_type, query_hash);
CREATE INDEX idx_retrieval_stats_memory ON retrieval_stats (memory_id);
CREATE INDEX idx_retrieval_stats_timestamp ON retrieval_stats (timestamp);
CREATE INDEX idx_retrieval_stats_session ON retrieval_stats (session_id);
CREATE INDEX idx_memories_source_path ON memories (
    JSON_EXTRACT(context_metadata, '$.source_path')
);
CREATE INDEX idx_memories_source_path_exists ON memories (
    JSON_EXTRACT(context_metadata, '$.source_path')
) WHERE JSON_EXTRACT(context_metadata, '$.source_path') IS NOT NULL;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('memory_connections',2);
INSERT INTO "sqlite_sequence" VALUES('retrieval_stats',1);
COMMIT;
