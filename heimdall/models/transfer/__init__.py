"""Bringing bytes here: HTTP, limits, downloads and their parts, progress."""
