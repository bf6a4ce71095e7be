# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands that runbooks give. APP, NAMESPACE and the like are for the reader to fill in."""

from __future__ import annotations

_PLAY = "ansible-playbook -i inventories/production golive.cutover."
STATUS = f"{_PLAY}status -l APP"
BACK = f"{_PLAY}rollback -l APP -e rollback_emergency=true"
BACK_TO = f"{_PLAY}rollback -l APP -e rollback_to=VERSION"
RELEASE = f"{_PLAY}release -l APP -e app_version=VERSION"
SITE = f"{_PLAY}site -l APP"
PLAN = f"{_PLAY}site -l APP --check --diff"
MIGRATE = f"{_PLAY}migrate -l APP"
BACKUP = f"{_PLAY}backup -l APP"
DRILL = f"{_PLAY}drill -l APP"
ROTATE = f"{_PLAY}rotate -l APP"

PODS = "kubectl -n NAMESPACE get pods -o wide"
EVENTS = "kubectl -n NAMESPACE get events --sort-by=.lastTimestamp | tail -30"
LOGS = "kubectl -n NAMESPACE logs -l app.kubernetes.io/name=APP --all-containers --since=10m --tail=100"
TOP = "kubectl -n NAMESPACE top pods --containers"
DATABASE_LOGS = "kubectl -n NAMESPACE logs svc/APP-postgres -c postgres --since=15m --tail=100"
ADDRESSES = "kubectl -n NAMESPACE get endpointslices -l kubernetes.io/service-name=APP"


def sql(query: str, database: str = "postgres") -> str:
    """A query of the embedded server, as its administrator."""
    shell = f"sh -c 'psql -U \"$POSTGRES_USER\" -d {database}'"
    return f'kubectl -n NAMESPACE exec -i svc/APP-postgres -c postgres -- {shell} <<< "{query}"'


SESSIONS = sql(
    "SELECT pid, usename, application_name, state, now() - xact_start AS open, left(query, 60) FROM pg_stat_activity"
    " WHERE backend_type = 'client backend' ORDER BY xact_start NULLS LAST LIMIT 20"
)
BLOCKERS = sql(
    "SELECT pid, pg_blocking_pids(pid) AS blocked_by, wait_event_type, left(query, 60) FROM pg_stat_activity"
    " WHERE cardinality(pg_blocking_pids(pid)) > 0"
)
END_SESSION = sql("SELECT pg_terminate_backend(PID)")
ARCHIVER = sql("SELECT last_archived_wal, last_archived_time, last_failed_wal, last_failed_time FROM pg_stat_archiver")
SLOTS = sql(
    "SELECT slot_name, active, wal_status, pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn))"
    " FROM pg_replication_slots"
)
STANDBYS = sql("SELECT application_name, state, sync_state, replay_lag FROM pg_stat_replication")
OLDEST_IDS = sql("SELECT datname, age(datfrozenxid), mxid_age(datminmxid) FROM pg_database ORDER BY 2 DESC")
DEAD_ROWS = sql(
    "SELECT relname, n_dead_tup, last_autovacuum FROM pg_stat_user_tables ORDER BY 2 DESC LIMIT 10", "DATABASE"
)
INVALID_INDEXES = sql("SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid", "DATABASE")
WAITING_SETTINGS = sql("SELECT name, setting FROM pg_settings WHERE pending_restart")
DISK = "kubectl -n NAMESPACE exec svc/APP-postgres -c postgres -- df -h /var/lib/postgresql/data"
