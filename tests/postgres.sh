#!/usr/bin/env bash
# Runs a command with TOBIT_TEST_DATABASE_URL pointing at a private PostgreSQL server on a free loopback port.
# The server lives in a temporary folder, belongs to an unprivileged user when run as root, and is removed afterwards.
set -euo pipefail
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
[ -n "$bin" ] || { echo "postgres.sh: no PostgreSQL server found; install postgresql-15" >&2; exit 1; }
home=$(mktemp -d "${TMPDIR:-/tmp}/tobit-postgres.XXXXXX")
user=$(id -un) run=()
if [ "$(id -u)" = 0 ]; then
  user=nobody run=(setpriv --reuid=nobody --regid=nogroup --clear-groups env HOME="$home")
  chown nobody:nogroup "$home"
fi
stop() { "${run[@]}" "$bin/pg_ctl" -D "$home/db" -m immediate -w stop >/dev/null 2>&1 || true; rm -rf "$home"; }
trap stop EXIT
trap 'exit 130' INT TERM
"${run[@]}" "$bin/initdb" -D "$home/db" -U tobit -A trust -E UTF8 --locale=C.UTF-8 --no-sync >/dev/null
started=
for _ in 1 2 3 4 5; do # a free port can be taken between asking and binding
  port=$(python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])')
  if "${run[@]}" "$bin/pg_ctl" -D "$home/db" -w -l "$home/log" start \
      -o "-h 127.0.0.1 -p $port -k $home -c max_connections=200 -c shared_buffers=128MB -c fsync=off -c full_page_writes=off" >/dev/null; then
    started=1; break
  fi
done
[ -n "$started" ] || { cat "$home/log" >&2; exit 1; }
"${run[@]}" "$bin/createdb" -h 127.0.0.1 -p "$port" -U tobit tobit
export TOBIT_TEST_DATABASE_URL="postgresql://tobit@127.0.0.1:$port/tobit"
"$@"
