#!/usr/bin/env bash
# Starts a cluster of N nodes on loopback and prints their addresses; Ctrl-C ends it. Called by `./dev cluster`, under
# tests/postgres.sh, whose private PostgreSQL goes away with it.
set -euo pipefail
cd "$(dirname "$0")/.."
program=${TOBIT_PROGRAM:-build/release/tobit} count=${1:-3}
[[ "$count" =~ ^[1-9]$ ]] || { echo "cluster: one to nine nodes, not '$count'" >&2; exit 2; }
home=$(mktemp -d "${TMPDIR:-/tmp}/tobit-cluster.XXXXXX")
names=() pids=()
for ((i = 0; i < count; i++)); do names+=("n$((i + 1))"); done
stop() {
  for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$home"
}
trap stop EXIT
trap 'exit 0' INT TERM
"$program" cluster init --database "$TOBIT_TEST_DATABASE_URL" --dir "$home" --nodes "$(IFS=,; echo "${names[*]}")" >"$home/init.log" 2>&1 \
  || { cat "$home/init.log" >&2; exit 1; }
password=${TOBIT_ADMIN_PASSWORD:-$(od -An -tx1 -N8 /dev/urandom | tr -d ' \n')}
for name in "${names[@]}"; do
  env -u TOBIT_PROGRAM TOBIT_HTTP_ADDRESS=127.0.0.1:0 TOBIT_CLUSTER_LISTEN=127.0.0.1:0 TOBIT_ADMIN_PASSWORD="$password" \
    "$program" serve --config "$home/$name/tobit.yaml" >/dev/null 2>"$home/$name.log" &
  pids+=($!)
done
for i in "${!names[@]}"; do
  until [ -s "$home/${names[$i]}/data/ready" ]; do
    kill -0 "${pids[$i]}" 2>/dev/null || { tail -5 "$home/${names[$i]}.log" >&2; exit 1; }
    sleep 0.1
  done
  echo "${names[$i]}  process ${pids[$i]}  $(sed 's/^ready //' "$home/${names[$i]}/data/ready")"
done
echo "sign in as 'admin' with the password: $password"
echo "PostgreSQL: $TOBIT_TEST_DATABASE_URL    certificates, settings and logs: $home"
first=$(sed 's/^ready //' "$home/${names[0]}/data/ready")
echo "Look at it:  export TOBIT_URL=$first TOBIT_USER=admin TOBIT_PASSWORD=$password; $program cluster status"
echo "Try: kill -9 a process above and look again. Ctrl-C ends everything."
wait
