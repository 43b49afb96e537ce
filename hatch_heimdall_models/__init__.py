"""Keep model files out of distributions, and pin them in a manifest instead.

The logic is free of hatchling: `config` reads the hook's table, `inventory` what lies on disk, `lock` and `manifest` what
is pinned; `pinning` decides what a build writes, `archive` checks what came of it. `hook` wires that to a build, which
finds it through `in_tree` (this repository) or `plugin` (every other project).
"""
