#!/usr/bin/env bash
# The large shops as files: time and memory of building, of opening, and of eight processes that share one; times of
# searches; equality of ranked lists over processes, threads, cache and no cache. Usage: catalog.sh [QUERIES [PRESET...]]
set -euo pipefail
cd "$(dirname "$0")/../.."
. e2e/packages.sh
queries="${1:-10000}"
presets=("${@:2}")
[ "${#presets[@]}" -gt 0 ] || presets=(fine full)
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

build
search="$release/examples/search"
shoprl="$release/shoprl"

measured() { # COMMAND...: its output, then what it took
    python3 - "$@" <<'PYTHON'
import resource, subprocess, sys, time
start = time.monotonic()
code = subprocess.run(sys.argv[1:]).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"  {time.monotonic() - start:.2f} s by the clock, {used.ru_utime + used.ru_stime:.2f} s of processor, "
      f"{used.ru_maxrss / 1024:.0f} MiB at most", flush=True)
sys.exit(code)
PYTHON
}

eight() { # FILE: processes that share it
    python3 - "$search" "$1" <<'PYTHON'
import re, subprocess, sys
search, path = sys.argv[1:]
command = [search, "hold", "500", path]
held = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(8)]
print("  " + ", ".join(one.stdout.readline().strip() for one in held))
shares, private = [], []
for one in held:
    with open(f"/proc/{one.pid}/smaps_rollup") as file:
        sizes = dict(re.findall(r"(\w+):\s+(\d+) kB", file.read()))
    shares.append(int(sizes["Pss"]))
    private.append(int(sizes["Anonymous"]))
print(f"  {sum(shares) / 1024:.0f} MiB in all (sum of Pss), of which {sum(private) / 1024:.0f} MiB private")
for one in held:
    one.stdin.close()
    one.wait()
PYTHON
}

echo "commit $(git rev-parse --short HEAD), load$(uptime | sed 's/.*load average//'), $(nproc) processors"
for preset in "${presets[@]}"; do
    file="$work/$preset.shop"
    echo "$preset: build"
    measured "$shoprl" catalog build --preset "$preset" --output "$file"
    echo "$preset: file of $(stat -c %s "$file") bytes; verify"
    measured "$shoprl" catalog verify --preset "$preset" "$file"
    echo "$preset: one process"
    measured "$search" times "$queries" "$file"
    echo "$preset: eight processes, opened at the same time"
    eight "$file"
    "$search" digest "$queries" 1 "$file" >"$work/one" 2>/dev/null
    for run in "2 $file" "4 $file" "1 $preset" "4 $preset"; do
        # Threads and source are two words.
        # shellcheck disable=SC2086
        "$search" digest "$queries" $run >"$work/other" 2>/dev/null
        cmp "$work/one" "$work/other"
    done
    echo "$preset: $queries queries, five processes, 1, 2 and 4 threads, with and without file: the same lists, $(cat "$work/one")"
done
echo "load$(uptime | sed 's/.*load average//')"
