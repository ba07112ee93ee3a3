#!/usr/bin/env bash
# Search of the large shop: equality of its ranked lists, weights of its fields, and its quality next to SQLite FTS5 on
# bigrams (what a public fork of ShopSimulator uses) and bm25s with jieba from PyPI. Usage: search.sh [TASKS [QUERIES]]
set -euo pipefail
cd "$(dirname "$0")/../.."
. e2e/packages.sh
tasks="${1:-1000}" queries="${2:-10000}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

packages docs/benchmarks/peers/search_quality.txt
build
search="$release/examples/search"

echo "commit $(git rev-parse --short HEAD), load$(uptime | sed 's/.*load average//'), $(nproc) processors"
"$release/shoprl" catalog build --preset fine --output "$work/fine.shop"
"$search" digest "$queries" 1 >"$work/one"
for run in "2" "4" "1 $work/fine.shop" "4 $work/fine.shop"; do
    # Threads and file are two words.
    # shellcheck disable=SC2086
    "$search" digest "$queries" $run >"$work/other"
    cmp "$work/one" "$work/other"
done
echo "$queries queries, five processes, 1, 2 and 4 threads, with and without cache: the same lists, $(cut -c1-16 "$work/one")"

"$search" weights "$tasks"
"$search" export "$tasks" "$work"
"$venv/bin/python" docs/benchmarks/peers/search_quality.py "$work"
