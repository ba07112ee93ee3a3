#!/usr/bin/env bash
# What jobs cost the API server: a load of ShopRLJobs on a real one with nodes that kwok plays, between two runs of a bare
# creator of the same objects in the same order, each on a control plane of its own. Prints Markdown, into OUTPUT if that is
# given. Needs an idle machine.
#
#     docs/benchmarks/operator.sh [OUTPUT]
#
# JOBS="200 1000" (in one batch), IDLE=20 (one after the other), STEADY=250 (at half the bare creator's rate, after each of JOBS) and
# WATCH=60 (seconds in which nothing happens) make it smaller; KEEP=FILE keeps the audit log of the operator's run.
set -euo pipefail
cd "$(dirname "$0")/../.."
. e2e/packages.sh
read -ra batches <<<"${JOBS:-200 1000}"
work="$(mktemp -d)"
cluster() { e2e/cluster/cluster "$@"; }

finish() {
    local status=$?
    trap - EXIT
    [ $status = 0 ] || tail -n 20 "$work"/*/processes/{operator,api-server}/log >&2 || true
    for run in before jobs after; do cluster load down "$work/$run"; done
    rm -rf "$work"
    exit $status
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

build
plan=(--idle "${IDLE:-20}" --steady "${STEADY:-250}")
for batch in "${batches[@]}"; do plan+=(--jobs "$batch"); done
bare() { # RUN
    local environment
    echo "the bare creator, $1" >&2
    environment="$(cluster load up "$work/$1")"
    (eval "$environment" && "$release/load" bare --audit "$work/$1/audit.log" "${plan[@]}") >"$work/$1.json"
    cluster load down "$work/$1"
}

load="$(cut -d' ' -f1-3 /proc/loadavg)"
awk -v load="$load" 'BEGIN { exit !(load + 0 > 0.5) }' &&
    echo "the machine is busy (load $load): these figures will say little" >&2
begun=$SECONDS

bare before
echo "the operator" >&2
environment="$(cluster load up "$work/jobs")"
pid="$(cluster load operator "$work/jobs" "$release/shoprl-operator")"
(eval "$environment" && "$release/load" operator --audit "$work/jobs/audit.log" --bare "$work/before.json" --pid "$pid" \
    --watch "${WATCH:-60}" "${plan[@]}") >"$work/jobs.json"
[ -z "${KEEP:-}" ] || cp "$work/jobs/audit.log" "$KEEP"
cluster load down "$work/jobs"
bare after

{
    echo "Commit $(git rev-parse --short HEAD), $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs), $(nproc) cores," \
        "load before $load, after $(cut -d' ' -f1-3 /proc/loadavg), $((SECONDS - begun)) s."
    echo
    "$release/load" table --bare "$work/before.json" --bare "$work/after.json" --operator "$work/jobs.json"
} >"${1:-/dev/stdout}"
