#!/usr/bin/env python3
"""The quickstart on several seeds, with its control: the warm-up alone, given the same extra time.

    cargo build --release && docs/benchmarks/quickstart.py runs/benchmark 1 2 3 > docs/benchmarks/quickstart.md

Runs what is not finished yet (a run folder continues), one after the other, then prints the table. The control of
a seed trains on demonstrations for as many more tokens as its warm-up would have learned in the seconds that
reinforcement learning took, playing included, and is measured on the same held-out tasks.
"""
import json
import math
import os
import pathlib
import platform
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHOPRL = pathlib.Path(subprocess.run(
    ["cargo", "metadata", "--format-version", "1", "--no-deps"], cwd=ROOT, capture_output=True, check=True, text=True
).stdout.split('"target_directory":"')[1].split('"')[0]) / "release/shoprl"


def job(name, folder, spec):
    """Runs a manifest to its end and returns what it left."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = folder.parent / f"{name}.yaml"
    head = {"apiVersion": "shoprl.dev/v1alpha1", "kind": "ShopRLJob", "metadata": {"name": name}, "spec": spec}
    manifest.write_text(json.dumps(head))  # JSON is YAML
    if not (folder / "report.json").exists():
        subprocess.run([SHOPRL, "run", manifest, "--output", folder], check=True, stdout=sys.stderr)
    rows = [json.loads(line) for line in (folder / "evaluations.jsonl").open()]
    budget = {p["name"]: p for p in json.loads((folder / "budget.json").read_text())["phases"]}
    return {(r["subject"], r["decoding"]): [e["success"] for e in r["episodes"]] for r in rows}, budget


def mean(values):
    return sum(values) / len(values)


def paired(a, b):
    """Mean difference a - b over the same tasks with its normal 95 % interval, in points."""
    d = [x - y for x, y in zip(a, b, strict=True)]
    half = 1.959964 * math.sqrt(sum((x - mean(d)) ** 2 for x in d) / (len(d) - 1) / len(d))
    return f"{100 * mean(d):+.1f} [{100 * (mean(d) - half):+.1f}, {100 * (mean(d) + half):+.1f}]"


def machine():
    """The processor and how many cores of it."""
    cpu = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.machine())
    return f"{cpu}, {len(os.sched_getaffinity(0))} cores"


def main():
    base, seeds = pathlib.Path(sys.argv[1]), [int(s) for s in sys.argv[2:]]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    lines = []
    for seed in seeds:
        run, cost = job(f"quickstart-{seed}", base / f"seed-{seed}", {"seed": seed})
        seconds = cost["rollout"]["seconds"] + cost["training"]["seconds"]
        tokens = cost["warmup"]["tokens"] + int(cost["warmup"]["tokens"] * seconds / cost["warmup"]["seconds"])
        never = {"everyTokens": 10**9, "tasks": 1, "greedySuccess": 1, "sampledSuccess": 1}
        control, spent = job(f"control-{seed}", base / f"control-{seed}", {
            "seed": seed,
            "training": {"warmup": {"sft": {"maxTokens": tokens, "stop": never}}, "steps": 1, "tasksPerStep": 1},
        })
        total = sum(p["seconds"] for p in cost.values())
        for decoding in ("greedy", "sampled"):
            before, after = run["warmup", decoding], run["trained", decoding]
            other = control["warmup", decoding]
            lines.append(
                f"| {seed} | {decoding} | {100 * mean(before):.1f} | {100 * mean(after):.1f} | {paired(after, before)} "
                f"| {100 * mean(other):.1f} | {paired(after, other)} | {len(after)} | {total:.0f} |")
        print(f"seed {seed}: control trained {spent['warmup']['tokens']} tokens in "
              f"{spent['warmup']['seconds']:.0f} s", file=sys.stderr)
    print(f"""# The quickstart, measured

    {' '.join(['docs/benchmarks/quickstart.py', *sys.argv[1:]])}

Commit {commit.strip()}, {machine()}. Success on held-out tasks (families of products and phrasings that
training never showed), percent; differences in points with paired 95 % intervals. Control: the warm-up alone, given as
many more tokens as it learns in the seconds that reinforcement learning took.

| seed | decoding | after warm-up | after RL | RL - warm-up | control | RL - control | tasks | seconds, all phases |
|---|---|---|---|---|---|---|---|---|
""" + "\n".join(lines))


if __name__ == "__main__":
    main()
