#!/bin/sh
# Keeps the contract of the official `postgres` image as far as an operator relies on it: PGDATA, POSTGRES_USER, POSTGRES_PASSWORD[_FILE],
# POSTGRES_DB, POSTGRES_INITDB_ARGS, POSTGRES_HOST_AUTH_METHOD, /docker-entrypoint-initdb.d, `-c key=value` arguments, any non-root user.
set -eu

fail() {
    echo "docker-entrypoint.sh: $1" >&2
    exit 1
}

# Sets a variable from itself, from the file that NAME_FILE names, or from a default.
read_setting() {
    eval "value=\${$1:-} file=\${$1_FILE:-}"
    if [ -n "$file" ]; then
        [ -z "$value" ] || fail "both $1 and $1_FILE are set; use one"
        [ -r "$file" ] || fail "$1_FILE: cannot read $file"
        value=$(cat "$file")
    fi
    [ -n "$value" ] || value=${2:-}
    eval "$1=\$value"
    unset value file
}

# PostgreSQL refuses a user without a name; a user number chosen by the platform has none.
name_user() {
    id -un >/dev/null 2>&1 && return
    library=$(find /usr/lib -name libnss_wrapper.so 2>/dev/null | head -n 1)
    [ -n "$library" ] || return 0
    NSS_WRAPPER_PASSWD=$(mktemp) && NSS_WRAPPER_GROUP=$(mktemp)
    echo "postgres:x:$(id -u):$(id -g):PostgreSQL:$PGDATA:/bin/false" >"$NSS_WRAPPER_PASSWD"
    echo "postgres:x:$(id -g):" >"$NSS_WRAPPER_GROUP"
    export LD_PRELOAD="$library" NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP
}

unname_user() {
    [ -z "${NSS_WRAPPER_PASSWD:-}" ] || rm -f "$NSS_WRAPPER_PASSWD" "$NSS_WRAPPER_GROUP"
    unset LD_PRELOAD NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP
}

run_sql() {
    psql -v ON_ERROR_STOP=1 --no-password --no-psqlrc --quiet --username "$POSTGRES_USER" "$@"
}

initialise() {
    read_setting POSTGRES_PASSWORD
    read_setting POSTGRES_USER postgres
    read_setting POSTGRES_DB "$POSTGRES_USER"
    read_setting POSTGRES_INITDB_ARGS
    read_setting POSTGRES_HOST_AUTH_METHOD
    if [ -z "$POSTGRES_PASSWORD" ] && [ "$POSTGRES_HOST_AUTH_METHOD" != trust ]; then
        fail "the database is empty and no superuser password is given: set POSTGRES_PASSWORD_FILE or POSTGRES_PASSWORD"
    fi
    name_user
    set -- --username="$POSTGRES_USER"
    # shellcheck disable=SC2086 # the official image splits these arguments at blanks too
    printf '%s\n' "$POSTGRES_PASSWORD" | initdb "$@" --pwfile=/dev/stdin $POSTGRES_INITDB_ARGS
    unname_user
    method=${POSTGRES_HOST_AUTH_METHOD:-$(postgres -C password_encryption -D "$PGDATA")}
    printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"

    export PGPASSWORD="$POSTGRES_PASSWORD"
    # Only the socket answers until the database is complete.
    PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -w -o "-c listen_addresses=''" start
    exists=$(run_sql --dbname postgres --tuples-only --set db="$POSTGRES_DB" <<'SQL'
SELECT 1 FROM pg_database WHERE datname = :'db';
SQL
)
    [ -n "$exists" ] || run_sql --dbname postgres --set db="$POSTGRES_DB" <<'SQL'
CREATE DATABASE :"db";
SQL
    for file in /docker-entrypoint-initdb.d/*; do
        case "$file" in
            *.sh) sh "$file" ;;
            *.sql) run_sql --dbname "$POSTGRES_DB" -f "$file" ;;
            *.sql.gz) gunzip -c "$file" | run_sql --dbname "$POSTGRES_DB" ;;
        esac
    done
    PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -m fast -w stop
    unset PGPASSWORD
}

case "${1:-}" in
    -*) set -- postgres "$@" ;;
esac
if [ "${1:-}" = postgres ]; then
    mkdir -p "$PGDATA"
    chmod 0700 "$PGDATA" 2>/dev/null || true
    [ -s "$PGDATA/PG_VERSION" ] || initialise
    unset POSTGRES_PASSWORD
fi
exec "$@"
