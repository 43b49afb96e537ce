"""The public name; what it does is tested with `heimdall.migration_0_3.migrate`."""

from __future__ import annotations

import heimdall.migration_0_3.migrate
from heimdall.cognitive_system import migration


def test_it_is_the_migration_from_0_3() -> None:
    assert migration.migrate_legacy_data is heimdall.migration_0_3.migrate.migrate_legacy_data
