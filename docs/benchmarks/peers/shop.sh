# Sourced by trl.sh and verl.sh: a policy of ShopRL, and the small shop for a peer that trains it.
# shellcheck shell=bash

# policy_and_shop [MODEL]: sets `model` to this saved folder, or to that of a run of docs/examples/smoke.yaml, and begins a
# server. Wants what `scratch` and `build` of e2e/packages.sh set.
policy_and_shop() {
    local processor models
    processor=$(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs)
    echo "commit $(git rev-parse --short HEAD), $processor, $(nproc) processors, load$(uptime | sed 's/.*load average//')"

    model=${1:-}
    if [ -z "$model" ]; then
        "$release/shoprl" run docs/examples/smoke.yaml --output "$directory/run" >&2
        models=("$directory"/run/attempt-*/step-*/model)
        model=${models[-1]}
    fi
    serve "[ -s '$directory/address' ]" \
        "$release/shoprl" environment --catalog mini --listen 127.0.0.1:0 --address-file "$directory/address"
    SHOPRL_ENVIRONMENT=$(cat "$directory/address")
    export SHOPRL_ENVIRONMENT
    export PYTHONPATH=$PWD/worker-image/python:$PWD/worker-image/python/examples PYTHONDONTWRITEBYTECODE=1
    # Nothing is fetched, and gRPC would ask a proxy for the way to loopback.
    export HF_HUB_OFFLINE=1 no_grpc_proxy=127.0.0.1
}
