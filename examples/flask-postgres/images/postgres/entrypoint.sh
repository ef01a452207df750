#!/bin/sh
# Starts PostgreSQL as the official image does, with the same environment: POSTGRES_USER (postgres),
# POSTGRES_PASSWORD (required for a new database), POSTGRES_DB (the user's name), POSTGRES_INITDB_ARGS,
# POSTGRES_HOST_AUTH_METHOD, PGDATA; each may come from a file by NAME_FILE. Scripts in
# /docker-entrypoint-initdb.d (*.sh, *.sql, *.sql.gz) run once, for a new database.
set -eu
bin=$(echo /usr/lib/postgresql/*/bin)
export PATH="$bin:$PATH" PGDATA="${PGDATA:-/var/lib/postgresql/data}"

from_file() {
  eval "value=\${$1:-} file=\${$1_FILE:-}"
  if [ -n "$value" ] && [ -n "$file" ]; then
    echo "error: both $1 and $1_FILE are set" >&2
    exit 1
  fi
  [ -z "$file" ] || export "$1=$(cat "$file")"
}

case "${1:-postgres}" in
  postgres | -*) [ "${1:-}" = postgres ] && shift ;;
  *) exec "$@" ;;
esac

if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA" /run/postgresql
  chmod 00700 "$PGDATA"
  find "$PGDATA" /run/postgresql \! -user postgres -exec chown postgres '{}' +
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" postgres "$@"
fi

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  for name in POSTGRES_USER POSTGRES_PASSWORD POSTGRES_DB POSTGRES_INITDB_ARGS; do from_file "$name"; done
  user=${POSTGRES_USER:-postgres}
  method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
  if [ -z "${POSTGRES_PASSWORD:-}" ] && [ "$method" != trust ]; then
    echo "Error: Database is uninitialized and superuser password is not specified." >&2
    echo "       You must specify POSTGRES_PASSWORD to a non-empty value for the superuser." >&2
    exit 1
  fi
  # An initdb that was interrupted leaves files and no PG_VERSION: begin anew.
  find "$PGDATA" -mindepth 1 -delete
  password=$(mktemp)
  printf '%s\n' "${POSTGRES_PASSWORD:-}" >"$password"
  # shellcheck disable=SC2086 # the arguments are several words
  initdb --username="$user" ${POSTGRES_PASSWORD:+--pwfile="$password"} --encoding=UTF8 --locale=C.UTF-8 ${POSTGRES_INITDB_ARGS:-}
  rm -f "$password"
  printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
  database=${POSTGRES_DB:-$user}
  pg_ctl -w -o "-c listen_addresses='' -p 5432" start
  export PGPASSWORD="${POSTGRES_PASSWORD:-}"
  if [ "$database" != postgres ]; then
    printf 'CREATE DATABASE :"db";\n' | psql -v ON_ERROR_STOP=1 --no-psqlrc -U "$user" -d postgres -v db="$database"
  fi
  for file in /docker-entrypoint-initdb.d/*; do
    case "$file" in
      *.sh) if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
      *.sql) psql -v ON_ERROR_STOP=1 --no-psqlrc -U "$user" -d "$database" -f "$file" ;;
      *.sql.gz) gunzip -c "$file" | psql -v ON_ERROR_STOP=1 --no-psqlrc -U "$user" -d "$database" ;;
    esac
  done
  pg_ctl -w -m fast stop
fi
exec postgres -c listen_addresses='*' "$@"
