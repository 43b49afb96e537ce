"""Memories: embedded, stored per project, recalled by meaning."""
