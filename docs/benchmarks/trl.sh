#!/usr/bin/env bash
# TRL's GRPOTrainer trains a policy of ShopRL in the small shop: on the processor, at a real server on loopback, by both
# doors of worker-image/python/examples/trl_training.py. peers/trl_grpo.py says what must hold.
# usage: trl.sh [STEPS [MODEL]]; MODEL is a saved folder instead of that of a run of docs/examples/smoke.yaml
set -euo pipefail
cd "$(dirname "$0")/../.."
. e2e/packages.sh
. docs/benchmarks/peers/shop.sh
steps=${1:-5}

packages docs/benchmarks/peers/trl.txt
build
scratch
policy_and_shop "${2:-}"

export TRL_EXPERIMENTAL_SILENCE=1
for door in rollout_func environment_factory; do
    "$venv/bin/python" -W ignore::FutureWarning docs/benchmarks/peers/trl_grpo.py "$door" "$model" "$steps" "$directory/trl"
done
