"""Where model files can come from. Each module knows one kind of place; `plan` puts them in order."""
