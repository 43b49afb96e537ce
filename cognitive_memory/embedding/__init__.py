"""Vectors for memories: the engine as the memory uses it, of one text, of many, and of what was left without."""
