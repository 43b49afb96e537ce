-- What its user gave a weight of its own: recall looks at these whatever else there is. One number, so that no other
-- question is answered by this index.
CREATE INDEX memories_standing ON memories (key) WHERE (origin = 'stored') + pinned + (importance > 0.5) > 0;
