"""Projects: where one begins, its settings, and which ones this machine knows."""
