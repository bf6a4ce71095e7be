# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of our own series the exporter serves, and which it does not yet.

What is not served has no rule in an embedded Prometheus, unless ``monitoring_without`` says that something else does.
"""

from __future__ import annotations

from collections.abc import Mapping

# Series to the fact of ``health_catalogue`` that it shows. Labels come with the scrape.
EXPORTED: Mapping[str, str] = {
    "golive_pg_sequence_used_ratio": "sequence_used",
    "golive_pg_invalid_indexes": "invalid_indexes",
    "golive_pg_settings_pending_restart": "pending_restart",
}
# Series to what would have to be read.
NOT_EXPORTED: Mapping[str, str] = {
    "golive_backup_last_success_timestamp_seconds": "the repositories of the backups",
    "golive_restore_test_last_success_timestamp_seconds": "the reports of drills in the repositories",
    "golive_migration_state": "the ledger of migrations",
    "golive_migration_started_timestamp_seconds": "the ledger of migrations",
    "golive_cutover_guard_tripped": "the journal of releases",
    "golive_pg_bloat_ratio": "the rows of all tables, or an estimate of them",
    "golive_pg_bloat_bytes": "the rows of all tables, or an estimate of them",
    "golive_secret_last_rotated_timestamp_seconds": "the Secrets of the app",
    "golive_secret_max_age_seconds": "the Secrets of the app",
}
