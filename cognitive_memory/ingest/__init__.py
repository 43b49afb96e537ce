"""From files and git history to memories: what is read, how it is cut, and how a repeat does only what is left."""
