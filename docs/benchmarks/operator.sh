#!/usr/bin/env bash
# What jobs cost the API server: a load of ShopRLJobs on a real one with nodes that kwok plays, beside a bare creator of the
# same objects in the same run. Prints Markdown, into OUTPUT if that is given. Needs an idle machine.
#
#     docs/benchmarks/operator.sh [OUTPUT]
#
# JOBS="200 1000" (at once), IDLE=20 (one after the other), STEADY=250 (at half the bare creator's rate) and WATCH=60 (seconds
# in which nothing happens) make it smaller.
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
    cluster load down "$work/bare"
    cluster load down "$work/jobs"
    rm -rf "$work"
    exit $status
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

build
jobs=()
for batch in "${batches[@]}"; do jobs+=(--jobs "$batch"); done
load="$(cut -d' ' -f1-3 /proc/loadavg)"
awk -v load="$load" 'BEGIN { exit !(load + 0 > 0.5) }' &&
    echo "the machine is busy (load $load): these figures will say little" >&2
begun=$SECONDS

echo "the bare creator" >&2
environment="$(cluster load up "$work/bare")"
(eval "$environment" && "$release/load" bare --audit "$work/bare/audit.log" "${jobs[@]}") >"$work/bare.jsonl"
cluster load down "$work/bare"

echo "the operator" >&2
environment="$(cluster load up "$work/jobs")"
pid="$(cluster load operator "$work/jobs" "$release/shoprl-operator")"
(eval "$environment" && "$release/load" operator --audit "$work/jobs/audit.log" --bare "$work/bare.jsonl" --pid "$pid" \
    --idle "${IDLE:-20}" --steady "${STEADY:-250}" --watch "${WATCH:-60}" "${jobs[@]}") >"$work/tables"

{
    echo "Commit $(git rev-parse --short HEAD), $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs), $(nproc) cores," \
        "load before $load, after $(cut -d' ' -f1-3 /proc/loadavg), $((SECONDS - begun)) s."
    echo
    cat "$work/tables"
} >"${1:-/dev/stdout}"
