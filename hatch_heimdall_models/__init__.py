"""Keep model files out of distributions, and pin them in a manifest instead.

hatchling finds the hook through `plugin`, or through `in_tree` in this package's own repository.
What the hook does can be called from any other build as well, without hatchling:

    # every mistake in the table at once
    config = parse_config(table, where="tool.my-build.models")
    # models, lock and manifest agree, or an error
    pins = pins_for(root, config, distribution="my-package", version="1.0")
    # into the archive, at config.manifest
    write(pins.manifest.dumps())
    policy = ArchivePolicy(config.models_dir, config.manifest, pins.manifest, config.max_wheel_size)
    # of the finished archive
    problems = violations(wheel, policy)

| to | use |
|---|---|
| read a hook's table | `parse_config`, `HookConfig`, `ModelConfig` |
| hash a models directory, refusing what is no model | `take_inventory`, `HashedFile` |
| read, compare and write pins | `read_manifest`, `loads`, `differences`, `lock_differences`, `Manifest`, `Model`, `ModelFile`, `Asset` |
| decide what a build pins | `pins_for`, `licence_problems`, `Pins` |
| look into a finished archive | `archive_problems`; `violations`, `ArchivePolicy` where its paths are known |
| make a lock and pack release assets | `LockMaker`, `write_asset`, `read_asset` |
| list the models for auditors | `sbom_of` (needs `cyclonedx-python-lib`) |

Whatever a maintainer has to correct is a `ModelBuildError`, whose `problems` are all that there
are. Only the hooks (`hook`, `metadata_hook`, `plugin`) import hatchling, so all of this works
without it.
"""

from hatch_heimdall_models.archive import ArchivePolicy as ArchivePolicy
from hatch_heimdall_models.archive import violations as violations
from hatch_heimdall_models.asset import read_asset as read_asset
from hatch_heimdall_models.asset import write_asset as write_asset
from hatch_heimdall_models.checking import archive_problems as archive_problems
from hatch_heimdall_models.config import HookConfig as HookConfig
from hatch_heimdall_models.config import ModelConfig as ModelConfig
from hatch_heimdall_models.config import parse_config as parse_config
from hatch_heimdall_models.errors import ModelBuildError as ModelBuildError
from hatch_heimdall_models.inventory import HashedFile as HashedFile
from hatch_heimdall_models.inventory import take_inventory as take_inventory
from hatch_heimdall_models.lock import differences as differences
from hatch_heimdall_models.lock import lock_differences as lock_differences
from hatch_heimdall_models.lock import read_manifest as read_manifest
from hatch_heimdall_models.lock_maker import LockMaker as LockMaker
from hatch_heimdall_models.manifest import Asset as Asset
from hatch_heimdall_models.manifest import Manifest as Manifest
from hatch_heimdall_models.manifest import Model as Model
from hatch_heimdall_models.manifest import ModelFile as ModelFile
from hatch_heimdall_models.manifest import loads as loads
from hatch_heimdall_models.pinning import Pins as Pins
from hatch_heimdall_models.pinning import licence_problems as licence_problems
from hatch_heimdall_models.pinning import pins_for as pins_for
from hatch_heimdall_models.sbom import sbom_of as sbom_of
