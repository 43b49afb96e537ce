"""Keep model files out of distributions, and pin them in a manifest instead.

hatchling finds the hook through `plugin`, or through `in_tree` in this package's own repository. What the hook does can be
called from any other build as well, without hatchling:

    config = parse_config(table, where="tool.my-build.models")              # every mistake in the table at once
    pins = pins_for(root, config, distribution="my-package", version="1.0") # models, lock and manifest agree, or an error
    write(pins.manifest.dumps())                                            # into the archive, at config.manifest
    policy = ArchivePolicy(config.models_dir, config.manifest, pins.manifest, config.max_wheel_size)
    problems = violations(wheel, policy)                                    # of the finished archive

| to | use |
|---|---|
| read a hook's table | `parse_config`, `HookConfig`, `ModelConfig` |
| hash a models directory, refusing what is no model | `take_inventory`, `HashedFile` |
| read, compare and write pins | `read_manifest`, `loads`, `differences`, `lock_differences`, `Manifest`, `Model`, `ModelFile`, `Asset` |
| decide what a build pins | `pins_for`, `licence_problems`, `Pins` |
| look into a finished archive | `violations`, `ArchivePolicy` |
| make a lock and pack release assets | `LockMaker`, `write_asset`, `read_asset` |
| list the models for auditors | `sbom_of` (needs `cyclonedx-python-lib`) |

Whatever a maintainer has to correct is a `ModelBuildError`, whose `problems` are all that there are. Only the hook itself and
`project` import hatchling, so all of this works without it.
"""

from hatch_heimdall_models.archive import ArchivePolicy, violations
from hatch_heimdall_models.asset import read_asset, write_asset
from hatch_heimdall_models.config import HookConfig, ModelConfig, parse_config
from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.inventory import HashedFile, take_inventory
from hatch_heimdall_models.lock import differences, lock_differences, read_manifest
from hatch_heimdall_models.lock_maker import LockMaker
from hatch_heimdall_models.manifest import Asset, Manifest, Model, ModelFile, loads
from hatch_heimdall_models.pinning import Pins, licence_problems, pins_for
from hatch_heimdall_models.sbom import sbom_of

__all__ = [
    "ArchivePolicy",
    "Asset",
    "HashedFile",
    "HookConfig",
    "LockMaker",
    "Manifest",
    "Model",
    "ModelBuildError",
    "ModelConfig",
    "ModelFile",
    "Pins",
    "differences",
    "licence_problems",
    "loads",
    "lock_differences",
    "parse_config",
    "pins_for",
    "read_asset",
    "read_manifest",
    "sbom_of",
    "take_inventory",
    "violations",
    "write_asset",
]
