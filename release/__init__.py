"""Maintainers' tools: make the model from upstream's weights, pack it for a release, pin it in the lock."""
