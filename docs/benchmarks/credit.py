#!/usr/bin/env python3
"""Message-wise credit on the policy: off, mask and gated, each with a good, a random and an inverted scorer.

    cargo build --release && docs/benchmarks/credit.py runs/credit 1 > docs/benchmarks/credit.md

Every run of a seed has the same warm-up, shorter than the quickstart's, so they start from the same policy, byte for
byte; only the credit differs. Runs what is not finished yet, one after the other, then prints the table.
"""
import pathlib
import subprocess
import sys

from quickstart import ROOT, job, machine, mean, paired

VARIANTS = [("sampleWise", None)] + [
    (mode, scorer) for mode in ("mask", "gated") for scorer in ("rules", "random", "inverted")
]


def credit(mode, scorer):
    return {"messageWise": {"mode": mode, **({"scorer": scorer} if scorer else {})}}


def main():
    base, seeds = pathlib.Path(sys.argv[1]), [int(s) for s in sys.argv[2:]]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    never = {"everyTokens": 10**9, "tasks": 1, "greedySuccess": 1, "sampledSuccess": 1}
    lines = []
    for seed in seeds:
        first = None
        for mode, scorer in VARIANTS:
            name = "-".join(str(part).lower() for part in ("credit", mode, scorer, seed) if part is not None)
            run, _ = job(name, base / name, {
                "seed": seed,
                "training": {"warmup": {"sft": {"maxTokens": 1200000, "stop": never}}, "credit": credit(mode, scorer)},
                "evaluation": {"everySteps": 0},
            })
            first = first or run
            assert run["warmup", "greedy"] == first["warmup", "greedy"], "the warm-ups differ"
            cells = []
            for decoding in ("greedy", "sampled"):
                before, after = run["warmup", decoding], run["trained", decoding]
                cells += [f"{100 * mean(before):.1f}", f"{100 * mean(after):.1f}", paired(after, first["trained", decoding])]
            lines.append(f"| {seed} | {mode} | {scorer or 'none'} | " + " | ".join(cells) + " |")
    print(f"""# Message-wise credit on the policy

    {' '.join(['docs/benchmarks/credit.py', *sys.argv[1:]])}

Commit {commit.strip()}, {machine()}. 100 steps of 16 x 8 episodes after a warm-up of 1.2M tokens; success on 1,000 held-out
tasks, percent; differences from sample-wise credit (no scorer, every token gets its sample's advantage) in points with paired
95 % intervals over tasks. One seed's runs differ by chance too: an interval over tasks says nothing about other seeds.

| seed | mode | scorer | greedy: warm-up | after RL | minus sample-wise | sampled: warm-up | after RL | minus sample-wise |
|---|---|---|---|---|---|---|---|---|
""" + "\n".join(lines))


if __name__ == "__main__":
    main()
