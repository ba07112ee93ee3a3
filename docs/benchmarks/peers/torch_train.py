"""Training and log-probabilities per second in PyTorch: torch_train.py [threads] [seconds per figure] [compile] [cuda].

The same work as `cargo run --release -p shoprl-model --example throughput`: 64 texts of 130 tokens. Micro-batches of 8
texts and the whole batch at once are both tried; the better one counts. The policy loss computes logits only at the
rows it needs, and leaves out the entropies which the Rust side reports.
"""

import sys
import time

import torch
import torch.nn.functional as F

from torch_model import LENGTH, Decoder, best, texts

TEXTS = 64
LOW, HIGH, NORMALIZER = 0.2, 0.28, 1e4


def supervised_loss(model, forward, tokens):
    logits = model.logits(forward(tokens)[:, :-1])
    return F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten(), reduction="sum") / NORMALIZER


def policy_loss(model, forward, tokens):
    """Every sixth token is an action, advantage 0.5, behaviour -6, as in the Rust program."""
    at = torch.arange(5, LENGTH, 6)
    logits = model.logits(forward(tokens)[:, at - 1])
    log_probability = torch.log_softmax(logits, -1).gather(-1, tokens[:, at, None])[..., 0]
    ratio = (log_probability + 6.0).exp()
    return -torch.minimum(ratio * 0.5, ratio.clamp(1 - LOW, 1 + HIGH) * 0.5).sum() / NORMALIZER


def main():
    threads = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 2.0
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    device = torch.device("cuda" if "cuda" in sys.argv else "cpu")
    # A device works on after the call has returned.
    finish = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    model = Decoder().to(device)
    forward = torch.compile(model) if "compile" in sys.argv else model
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.95), weight_decay=0.01, fused=True)
    tokens = texts(TEXTS).to(device)

    def gradients(loss, size, step):
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        for part in tokens.split(size):
            loss(model, forward, part).backward()
        if step:
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        finish()
        return TEXTS * LENGTH, time.perf_counter() - start

    for size in (8, TEXTS):
        detail = f", {size} texts at once"
        best("training, supervised", seconds, lambda: gradients(supervised_loss, size, False), detail)
        best("training, policy", seconds, lambda: gradients(policy_loss, size, False), detail)
        best("training step, AdamW", seconds, lambda: gradients(supervised_loss, size, True), detail)

    def log_probabilities(size):
        start = time.perf_counter()
        with torch.no_grad():
            for part in tokens.split(size):
                logits = model.logits(forward(part)[:, :-1])
                torch.log_softmax(logits, -1).gather(-1, part[:, 1:, None])
        finish()
        return TEXTS * LENGTH, time.perf_counter() - start

    for size in (8, TEXTS):
        best("log-probabilities", seconds, lambda: log_probabilities(size), f", {size} texts at once")


if __name__ == "__main__":
    main()
