"""Prefill and decoding per second in PyTorch with a preallocated cache: torch_decode.py [threads] [seconds] [compile].

The same work as the Rust program: prefill of 32 texts of 130 tokens; sampled decoding from token 40 to 130 with
log-probability and entropy of each choice. All texts have one length and go in lock step, the best case for a
rectangular batch: no masks, no padding, no text waits for another (the Rust engine takes any mixture of lengths).
"""

import sys
import time

import torch

from torch_model import CONTEXT, HEAD, HEADS, LAYERS, LENGTH, Decoder, best, texts

PROMPT, GENERATED = 40, 90


def caches(count):
    one = lambda: [torch.zeros(count, HEADS, CONTEXT, HEAD) for _ in range(LAYERS)]
    return one(), one()


def main():
    threads = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 2.0
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = Decoder()
    compiled = "compile" in sys.argv

    def token(tokens, keys, values, start: int):
        logits = model.logits(model.extend(tokens, keys, values, start)[:, -1])
        log_probabilities = torch.log_softmax(logits, -1)
        probabilities = log_probabilities.exp()
        chosen = torch.multinomial(probabilities, 1)
        return chosen, log_probabilities.gather(-1, chosen), -(probabilities * log_probabilities).sum(-1)

    prompt = torch.compile(model.extend) if compiled else model.extend
    step = torch.compile(token, dynamic=True) if compiled else token

    @torch.inference_mode()
    def prefill():
        keys, values = caches(32)
        start = time.perf_counter()
        prompt(texts(32), keys, values, 0)
        return 32 * LENGTH, time.perf_counter() - start

    @torch.inference_mode()
    def decode(count):
        keys, values = caches(count)
        given = texts(count)[:, :PROMPT]
        prompt(given[:, :-1], keys, values, 0)
        last = given[:, -1:]
        start = time.perf_counter()
        for position in range(PROMPT - 1, PROMPT - 1 + GENERATED):
            last, _, _ = step(last, keys, values, position)
        return count * GENERATED, time.perf_counter() - start

    best("prefill, 32 texts", seconds, prefill)
    for count in (1, 4, 16, 32, 64, 128):
        best(f"decode, {count} texts", seconds, lambda: decode(count))


if __name__ == "__main__":
    main()
