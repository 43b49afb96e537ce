"""Keep model files out of distributions, and pin them in a manifest instead.

The logic (`manifest`, `inventory`, `lock`, `config`, `archive`) is free of hatchling; `hook` wires it to a build.
"""
