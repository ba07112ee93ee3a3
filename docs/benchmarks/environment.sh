#!/usr/bin/env bash
# The large shop as an environment: steps a second in one process and in two, over gRPC, bytes of a session, what a page
# costs, and next to it a Python environment of the same pages with SQLite FTS5. Usage: environment.sh [SECONDS]
set -euo pipefail
cd "$(dirname "$0")/../.."
. e2e/packages.sh
seconds="${1:-10}"
work="$(mktemp -d)"
servers=()
leave() {
    for server in "${servers[@]}"; do kill "$server" 2>/dev/null || true; done
    wait
    rm -rf "$work"
}
trap leave EXIT

packages docs/benchmarks/peers/page_tokens.txt
build
load() { echo "load$(uptime | sed 's/.*load average//')"; }
processor="$(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs)"
echo "commit $(git rev-parse --short HEAD), $processor, $(nproc) processors, $(load)"

printf '\n## In process\n\n'
"$release/examples/speed" "$seconds" 1
printf '\nTwo processes in parallel:\n\n'
players=()
for process in 1 2; do
    "$release/examples/speed" "$seconds" 1 >"$work/process-$process" &
    players+=($!)
done
wait "${players[0]}"
wait "${players[1]}"
cat "$work/process-1"
grep '^| [er]' "$work/process-2"
load

printf '\n## Over gRPC\n\n'
"$release/shoprl" environment --catalog fine --listen 127.0.0.1:0 --sessions 20000 --address-file "$work/address" \
    >/dev/null &
servers+=($!)
for _ in {1..600}; do [ ! -s "$work/address" ] || break; sleep 0.1; done
address="$(cat "$work/address")"
resident() { awk '/^VmRSS/ { print $2 * 1024 }' "/proc/${servers[0]}/status"; }
echo "| agent | sessions | episodes/s | steps/s | p50 ms | p99 ms |"
echo "|---|---|---|---|---|---|"
for agent in expert random; do "$release/examples/environment_load" "$address" 32 "$seconds" "$agent"; done
"$release/examples/environment_load" "$address" 1 "$seconds" random
before=$(resident)
"$release/examples/environment_load" "$address" 10000 0 hold >/dev/null
echo
echo "$((($(resident) - before) / 10000)) bytes a session at the server, 10,000 open; $(($(resident) >> 20)) MiB in all"
load

printf '\n## A Python environment of the same pages, SQLite FTS5\n\n'
"$release/shoprl" catalog show --json >"$work/products.jsonl"
"$release/examples/episodes" fine random 300 >"$work/random.jsonl"
python3 docs/benchmarks/peers/python_shop.py verify "$work/products.jsonl" "$work/random.jsonl"
echo
echo "| agent | processes | episodes/s | steps/s | steps a processor's second | p50 µs | p99 µs | bytes a session | opens in |"
echo "|---|---|---|---|---|---|---|---|---|"
python3 docs/benchmarks/peers/python_shop.py speed "$work/products.jsonl" "$seconds"
load

printf '\n## What a page costs\n\n'
echo "| catalog | page | pages | characters | p99 | tokens | p99 |"
echo "|---|---|---|---|---|---|---|"
for catalog in fine mini; do
    "$release/examples/episodes" "$catalog" expert 400 >"$work/expert.jsonl"
    "$venv/bin/python" docs/benchmarks/peers/page_tokens.py "$catalog" "$work/expert.jsonl"
done
