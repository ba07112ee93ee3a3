#!/usr/bin/env bash
# TRL's GRPOTrainer trains a policy of ShopRL in the small shop: on the processor, at a real server on loopback, by both
# doors of worker-image/python/examples/trl_training.py. peers/trl_grpo.py says what must hold.
# usage: trl.sh [STEPS [MODEL]]; MODEL is a saved folder instead of that of a run of docs/examples/smoke.yaml
set -euo pipefail
cd "$(dirname "$0")/../.."
. e2e/packages.sh
steps=${1:-5} model=${2:-}

packages docs/benchmarks/peers/trl.txt
build

directory=$(mktemp -d)
server=
leave() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    wait
    rm -rf "$directory"
}
trap leave EXIT
processor=$(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs)
echo "commit $(git rev-parse --short HEAD), $processor, $(nproc) processors, load$(uptime | sed 's/.*load average//')"

if [ -z "$model" ]; then
    "$release/shoprl" run docs/examples/smoke.yaml --output "$directory/run" >&2
    models=("$directory"/run/attempt-*/step-*/model)
    model=${models[-1]}
fi
"$release/shoprl" environment --catalog mini --listen 127.0.0.1:0 --address-file "$directory/address" >/dev/null &
server=$!
for _ in {1..600}; do
    [ ! -s "$directory/address" ] || break
    kill -0 "$server" || { echo "the server ended"; exit 1; }
    sleep 0.1
done

SHOPRL_ENVIRONMENT=$(cat "$directory/address")
export SHOPRL_ENVIRONMENT
export PYTHONPATH=worker-image/python:worker-image/python/examples PYTHONDONTWRITEBYTECODE=1
# Nothing is fetched, and gRPC would ask a proxy for the way to loopback.
export HF_HUB_OFFLINE=1 TRL_EXPERIMENTAL_SILENCE=1 no_grpc_proxy=127.0.0.1
for door in rollout_func environment_factory; do
    "$venv/bin/python" -W ignore::FutureWarning docs/benchmarks/peers/trl_grpo.py "$door" "$model" "$steps" "$directory/trl"
done
