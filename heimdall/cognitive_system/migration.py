"""The public name of the migration of what earlier releases left."""

from heimdall.migration_0_3.migrate import migrate_legacy_data
from heimdall.migration_0_3.report import MigrationReport, Outcome, Step

__all__ = ["MigrationReport", "Outcome", "Step", "migrate_legacy_data"]
