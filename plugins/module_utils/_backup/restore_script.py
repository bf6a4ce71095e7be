# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restore's Job runs: fetch, start without any network, replay, read every block, stop.

A line that begins with ``golive`` tells a fact: seconds since the machine started (``/proc/uptime``), its name, and its
value in base64. ``restore_story`` reads them. The exit code says only that all steps were done.
"""

from __future__ import annotations

# A damaged segment is replayed as far as it makes sense: in the last one nothing behind it would tell. So that one is
# held against the SHA-1 in its name.
# `pg_ctl -w start` and `pg_isready` answer during replay, and `pgbackrest restore` ends with 0 when segments after the
# backup are missing: what counts is asked of the server that has left recovery.
SCRIPT = r"""
set -u
# Which collations have another version here than when the indexes were built, and the first of those indexes.
COLLATIONS="
WITH other AS (
    SELECT 100::oid AS oid, 'default' AS name, datcollversion AS was, pg_database_collation_actual_version(oid) AS now
    FROM pg_database WHERE datname = current_database()
    UNION ALL
    SELECT oid, collname, collversion, pg_collation_actual_version(oid) FROM pg_collation WHERE collversion IS NOT NULL
), changed AS (
    SELECT * FROM other WHERE was <> now
), lie AS (
    SELECT DISTINCT indexrelid::regclass::text AS name FROM pg_index
    WHERE indcollation::oid[] && ARRAY(SELECT oid FROM changed)
)
SELECT 'in database ' || current_database() || ' the collation '
    || (SELECT string_agg(format('%s is of version %s here and was %s', name, now, was), ', ') FROM changed)
    || '; ' || (SELECT count(*) FROM lie) || ' of its indexes may lie: '
    || coalesce((SELECT string_agg(name, ', ') FROM (SELECT name FROM lie ORDER BY name LIMIT 10) AS first), 'none')
WHERE EXISTS (SELECT FROM changed)"
work=${GOLIVE_WORK:-/tmp}
export LC_ALL=C.UTF-8 PGHOST=$work/golive-socket PGUSER="$GOLIVE_USER" PGDATABASE=postgres PGTZ=UTC PGCONNECT_TIMEOUT=5
log=$work/golive-server.log
engine=$work/golive-engine.log
mkdir -p "$PGHOST"

tell() {
    read -r up rest </proc/uptime
    printf 'golive %s %s %s\n' "$up" "$1" "$(printf %s "$2" | base64 | tr -d '\n')"
    # Whoever follows is shown the last line.
    echo "$doing"
}
doing='looking at the image'
phase() { doing=$2; tell phase "$1"; }
give_up() { tell failed "$1"; tell why "$2"; pg_ctl -D "$PGDATA" -m immediate stop >/dev/null 2>&1; exit 1; }
# A damaged information file is quoted in the engine's message once it is decrypted, and may hold keys: not beyond here.
engine_errors() {
    grep -o 'ERROR: \[[0-9]*\]: .*' "$engine" | sed 's/\(FormatError\|CryptoError\|invalid line\|JSON\).*/\1/' |
        cut -c1-300 | head -n 4
}
server_errors() { grep -E 'FATAL|PANIC|ERROR' "$log" | cut -c1-300 | tail -n 6; }
ask() { psql -X -A -t -q -v ON_ERROR_STOP=1 "$@"; }
control() { pg_controldata -D "$PGDATA" | sed -n "s/^$1: *//p"; }

have=$(postgres --version | sed 's/.* \([0-9]*\)[.a-z].*/\1/')
[ "$have" = "$GOLIVE_MAJOR" ] || give_up version "the image has PostgreSQL $have, the backup is of $GOLIVE_MAJOR"

phase fetch 'fetching the backup'
mkdir -p "$PGDATA" && chmod 0700 "$PGDATA" || give_up volume "the volume cannot be written"
# What an interrupted restore has left is room, too.
free=$(df -Pk "$PGDATA" | sed -n '$s/.* \([0-9][0-9]*\)  *[0-9][0-9]*% .*/\1/p')
there=$(((free + $(du -sk "$PGDATA" | cut -f1)) * 1024))
[ "$there" -ge "$GOLIVE_BYTES" ] || give_up space "the backup needs $GOLIVE_BYTES bytes, the volume has room for $there"
set -- --stanza=main --repo="$GOLIVE_REPO" --set="$GOLIVE_SET" --type="$GOLIVE_TYPE" --delta --archive-mode=off \
    --log-level-console=error --log-level-file=off --job-retry=0
# The engine refuses its own option for a target that is the backup itself; the server follows the newest timeline then,
# which need not come from this backup.
case $GOLIVE_TYPE in
immediate) set -- "$@" --recovery-option=recovery_target_timeline="$GOLIVE_TIMELINE" ;;
*) set -- "$@" --target-timeline="$GOLIVE_TIMELINE" ;;
esac
[ -z "$GOLIVE_TARGET" ] || set -- "$@" --target="$GOLIVE_TARGET"
case $GOLIVE_TYPE in default) ;; *) set -- "$@" --target-action=promote ;; esac
pgbackrest "$@" restore >"$engine" 2>&1 || give_up engine "$(engine_errors)"
tell bytes "$(du -sk "$PGDATA" | cut -f1)"
tell files "$(find "$PGDATA" -type f | wc -l)"
if [ -n "$GOLIVE_LAST_SEGMENT" ]; then
    pgbackrest --stanza=main --repo="$GOLIVE_REPO" --log-level-console=error --log-level-file=off --job-retry=0 \
        archive-get "$GOLIVE_LAST_SEGMENT" "$work/golive-segment" >"$engine" 2>&1
    [ "$(sha1sum "$work/golive-segment" 2>/dev/null | cut -d' ' -f1)" = "$GOLIVE_LAST_SHA1" ] \
        || give_up segment "$GOLIVE_LAST_SEGMENT is not what was archived"
    rm -f "$work/golive-segment"
fi
if [ "$GOLIVE_PROVE" = none ]; then
    phase end 'fetched'
    exit 0
fi

phase start 'starting the copy without any network'
printf 'local all all trust\n' >$work/golive-hba.conf
set -- "-c listen_addresses=''" "-c unix_socket_directories=$PGHOST" "-c hba_file=$work/golive-hba.conf" "-c ssl=off" \
    "-c archive_mode=off" "-c logging_collector=off" "-c log_destination=stderr" "-c hot_standby=on" \
    "-c shared_preload_libraries=''" "-c autovacuum=off" "-c primary_conninfo=''" \
    "-c max_connections=$(control 'max_connections setting')" \
    "-c max_worker_processes=$(control 'max_worker_processes setting')" \
    "-c max_wal_senders=$(control 'max_wal_senders setting')" \
    "-c max_prepared_transactions=$(control 'max_prepared_xacts setting')" \
    "-c max_locks_per_transaction=$(control 'max_locks_per_xact setting')"
pg_ctl -D "$PGDATA" -l "$log" -t 86400 -w -o "$*" start >/dev/null 2>&1 || give_up start "$(server_errors)"
phase replay 'replaying'
while true; do
    state=$(ask -c 'SELECT pg_is_in_recovery()' 2>/dev/null)
    [ "$state" != f ] || break
    pg_ctl -D "$PGDATA" status >/dev/null 2>&1 || give_up target "$(server_errors)"
    sleep 0.2
done
phase readwrite 'the copy has left recovery'
tell reached_lsn "$(ask -c "SELECT coalesce(pg_last_wal_replay_lsn()::text, '')")"
last="to_char(pg_last_xact_replay_timestamp(), 'YYYY-MM-DD\"T\"HH24:MI:SS.USOF')"
tell last_commit "$(ask -c "SELECT coalesce($last, '')")"
next=$(ask -c 'SELECT pg_snapshot_xmax(pg_current_snapshot())')
tell next_xid "$next"
# What ran at the target has an id already; the last ids are enough but for a transaction that ran very long.
ids="generate_series(greatest(3, $next - 4096), $next - 1) AS id"
aborted="pg_xact_status(id::text::xid8) = 'aborted'"
tell undone "$(ask -c "SELECT coalesce(string_agg(id::text, ' '), '') FROM $ids WHERE $aborted")"
tell timeline "$(ask -c 'SELECT timeline_id FROM pg_control_checkpoint()')"
tell system_identifier "$(ask -c 'SELECT system_identifier FROM pg_control_system()')"
tell checksums "$(ask -c 'SHOW data_checksums')"

i=0
while [ "$i" -lt "$GOLIVE_QUERIES" ]; do
    i=$((i + 1))
    eval "database=\$GOLIVE_DATABASE_$i sql=\$GOLIVE_SQL_$i"
    if answer=$(ask -d "$database" -c "$sql" 2>$work/golive-query.log); then
        tell "query_$i" "$answer"
    else
        tell "refused_$i" "$(head -n 2 $work/golive-query.log)"
    fi
done

if [ -n "$GOLIVE_LOGIN" ]; then
    phase hand_over 'handing the copy over to a server'
    for name in archive_mode restore_command recovery_target recovery_target_action recovery_target_inclusive \
        recovery_target_lsn recovery_target_name recovery_target_time recovery_target_timeline recovery_target_xid; do
        ask -c "ALTER SYSTEM RESET $name" >/dev/null 2>&1 || give_up login "the setting $name cannot be taken back"
    done
    ask -f - >/dev/null 2>&1 <<'SQL' || give_up login 'the superuser of the Secret cannot be given its password'
\set login `cat "$GOLIVE_LOGIN/username"`
\set password `cat "$GOLIVE_LOGIN/password"`
SELECT format('ALTER ROLE %I PASSWORD %L', :'login', :'password') \gexec
SQL
fi

if [ "$GOLIVE_PROVE" = blocks ]; then
    phase blocks 'reading every block'
    databases=$(ask -c 'SELECT datname FROM pg_database WHERE datallowconn ORDER BY 1')
    bare=''
    for database in $databases; do
        sorted=$(ask -d "$database" -c "$COLLATIONS")
        [ -z "$sorted" ] || tell finding "the image sorts text otherwise than the server of the backup: $sorted"
        there=$(ask -d "$database" -c "SELECT 1 FROM pg_extension WHERE extname = 'amcheck'")
        [ -n "$there" ] || bare="$bare $database"
    done
    pg_amcheck --all --install-missing --heapallindexed --jobs=2 >$work/golive-check.log 2>&1 \
        || tell finding "pg_amcheck: $(grep -v '^query was' $work/golive-check.log | cut -c1-300 | head -n 6)"
    for database in $bare; do
        ask -d "$database" -c 'DROP EXTENSION IF EXISTS amcheck' >/dev/null 2>&1
    done
    for database in $databases; do
        pg_dump -d "$database" >/dev/null 2>$work/golive-check.log \
            || tell finding "reading $database: $(cut -c1-300 $work/golive-check.log | head -n 3)"
    done
    pg_ctl -D "$PGDATA" -m fast -w -t 600 stop >/dev/null 2>&1 || give_up stop "the copy did not stop"
    if [ "$(control 'Data page checksum version')" != 0 ]; then
        pg_checksums --check -D "$PGDATA" >$work/golive-check.log 2>&1 \
            || tell finding "pg_checksums: $(cut -c1-300 $work/golive-check.log | head -n 6)"
    else
        tell finding 'the server has no data checksums'
    fi
else
    pg_ctl -D "$PGDATA" -m fast -w -t 600 stop >/dev/null 2>&1 || give_up stop "the copy did not stop"
fi
if [ -n "$GOLIVE_LOGIN" ]; then
    # While nothing is archived nobody marks the history of the new timeline, which a later restore asks for.
    for file in "$PGDATA"/pg_wal/*.history; do
        [ ! -e "$file" ] || : >"$PGDATA/pg_wal/archive_status/${file##*/}.ready"
    done
fi
phase end 'done'
"""
