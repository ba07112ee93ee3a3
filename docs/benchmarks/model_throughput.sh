#!/usr/bin/env bash
# Training and decoding tokens per second of shoprl-model and of PyTorch, on this machine, one after the other:
#
#     docs/benchmarks/model_throughput.sh [threads] [seconds per figure] [python with torch]
#
# PyTorch runs eager and compiled, with glibc's allocator set to keep its memory (it loses much time to page faults
# otherwise); its better figure counts. Every program runs twice, in turns, and reports its best run. Needs an idle
# machine: PyTorch's threads spin while they wait, so that other load slows it down more than its share.
set -euo pipefail
cd "$(dirname "$0")/../.."
. e2e/packages.sh
threads="${1:-2}" seconds="${2:-5}"

if [ -n "${3:-}" ]; then
    python="$3"
else
    packages docs/benchmarks/peers/torch.txt
    python="$venv/bin/python"
fi

build
results="$(mktemp -d)"
trap 'rm -rf "$results"' EXIT
load="$(cut -d' ' -f1 /proc/loadavg)"
awk -v load="$load" 'BEGIN { exit !(load > 0.5) }' &&
    echo "the machine is busy (load $load): these figures will say little" >&2

export MALLOC_MMAP_THRESHOLD_=1073741824 MALLOC_TRIM_THRESHOLD_=8589934592 MALLOC_TOP_PAD_=268435456
# In turns, so that what else happens on the machine does not always meet the same program.
for round in 1 2; do
    echo "ShopRL, round $round" >&2
    "$release/examples/throughput" "$threads" "$seconds" |
        tee -a "$results/rust" >&2
    for mode in eager compile; do
        for program in torch_train torch_decode; do
            echo "PyTorch $mode, $program, round $round" >&2
            "$python" "docs/benchmarks/peers/$program.py" "$threads" "$seconds" "$mode" |
                tee -a "$results/$mode" >&2
        done
    done
done

"$python" - "$results" <<'PYTHON'
import re, sys

def read(name):
    figures = {}
    for line in open(f"{sys.argv[1]}/{name}"):
        found = re.match(r"(.+?) +(\d+) tokens/s", line)
        if found:
            figures[found[1]] = max(figures.get(found[1], 0), int(found[2]))
    return figures

rust, eager, compiled = read("rust"), read("eager"), read("compile")
assert set(rust) & set(eager), "the two programs name no figure alike"
print("| tokens per second | ShopRL | PyTorch eager | PyTorch compiled | ShopRL / better PyTorch |")
print("|---|---|---|---|---|")
for name in [*rust, *(name for name in eager if name not in rust)]:
    cells = [figures.get(name) for figures in (rust, eager, compiled)]
    peer = max((cell for cell in cells[1:] if cell), default=None)
    ratio = f"{cells[0] / peer:.2f}" if cells[0] and peer else ""
    print(f"| {name} |", " | ".join(f"{cell:,}" if cell else "" for cell in cells), f"| {ratio} |")
PYTHON
echo
echo "$(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs), $(nproc) cores, $threads threads, load before $load," \
    "$("$python" -c 'import torch; print("torch", torch.__version__)'), $(rustc --version | cut -d' ' -f1,2)"
