"""Maintainers' tools: make the model files from upstream's weights, pack them for a release and pin them in the lock."""
