"""Completion scripts: the whole tree of commands as the shell's own words, so that no Python runs at the Tab key."""
