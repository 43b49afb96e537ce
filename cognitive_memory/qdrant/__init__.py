"""Vectors of many projects in Qdrant, where one machine is not enough.

SQLite stays the truth; see docs/scaling.md.
"""
