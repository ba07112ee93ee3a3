"""The nano geometry in PyTorch as one would write it for speed: fused RMSNorm, scaled_dot_product_attention, fused
query-key-value and gate-up projections, no padding. Shared by torch_train.py and torch_decode.py."""

import time

import torch
import torch.nn as nn
import torch.nn.functional as F

VOCABULARY, HIDDEN, LAYERS, HEADS, HEAD, INNER, CONTEXT = 800, 128, 4, 4, 32, 352, 512
LENGTH = 130
EPSILON, THETA = 1e-6, 1e4


def rotary():
    frequencies = THETA ** (-torch.arange(0, HEAD, 2).double() / HEAD)
    angles = torch.arange(CONTEXT).double()[:, None] * frequencies
    angles = torch.cat([angles, angles], -1)
    return angles.cos().float(), angles.sin().float()


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat([-b, a], -1) * sin


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        matrix = lambda rows, columns: nn.Parameter(torch.randn(rows, columns) * columns**-0.5)
        self.query_key_value = matrix(3 * HEADS * HEAD, HIDDEN)
        self.output = matrix(HIDDEN, HEADS * HEAD)
        self.gate_up = matrix(2 * INNER, HIDDEN)
        self.down = matrix(HIDDEN, INNER)
        self.input_norm = nn.Parameter(torch.ones(HIDDEN))
        self.post_attention_norm = nn.Parameter(torch.ones(HIDDEN))
        self.query_norm = nn.Parameter(torch.ones(HEAD))
        self.key_norm = nn.Parameter(torch.ones(HEAD))

    def heads(self, x, cos, sin):
        texts, count, _ = x.shape
        y = F.linear(F.rms_norm(x, (HIDDEN,), self.input_norm, EPSILON), self.query_key_value)
        q, k, v = y.view(texts, count, 3, HEADS, HEAD).permute(2, 0, 3, 1, 4)
        q = rotate(F.rms_norm(q, (HEAD,), self.query_norm, EPSILON), cos, sin)
        k = rotate(F.rms_norm(k, (HEAD,), self.key_norm, EPSILON), cos, sin)
        return q, k, v

    def rest(self, x, attended):
        texts, count, _ = x.shape
        x = x + F.linear(attended.transpose(1, 2).reshape(texts, count, HEADS * HEAD), self.output)
        y = F.linear(F.rms_norm(x, (HIDDEN,), self.post_attention_norm, EPSILON), self.gate_up)
        gate, up = y.chunk(2, -1)
        return x + F.linear(F.silu(gate) * up, self.down)


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Parameter(torch.randn(VOCABULARY, HIDDEN))
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.final_norm = nn.Parameter(torch.full((HIDDEN,), HIDDEN**-0.5))
        cos, sin = rotary()
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def forward(self, tokens):
        """The last layer's output for whole texts, normed."""
        cos, sin = self.cos[: tokens.shape[1]], self.sin[: tokens.shape[1]]
        x = F.embedding(tokens, self.embedding)
        for layer in self.layers:
            q, k, v = layer.heads(x, cos, sin)
            x = layer.rest(x, F.scaled_dot_product_attention(q, k, v, is_causal=True))
        return F.rms_norm(x, (HIDDEN,), self.final_norm, EPSILON)

    def extend(self, tokens, keys, values, start: int):
        """The same for tokens from position `start` on, with the caches [layer][texts, heads, context, head]."""
        end = start + tokens.shape[1]
        cos, sin = self.cos[start:end], self.sin[start:end]
        x = F.embedding(tokens, self.embedding)
        for layer, past_keys, past_values in zip(self.layers, keys, values):
            q, k, v = layer.heads(x, cos, sin)
            past_keys[:, :, start:end], past_values[:, :, start:end] = k, v
            causal = tokens.shape[1] > 1
            attended = F.scaled_dot_product_attention(
                q, past_keys[:, :, :end], past_values[:, :, :end], is_causal=causal
            )
            x = layer.rest(x, attended)
        return F.rms_norm(x, (HIDDEN,), self.final_norm, EPSILON)

    def logits(self, hidden):
        return F.linear(hidden, self.embedding)


def texts(count):
    return torch.randint(VOCABULARY, (count, LENGTH), generator=torch.Generator().manual_seed(1))


def best(name, seconds, run, detail=""):
    """Repeats `run` (which returns tokens and the time they took) and prints the best rate, as the Rust program does."""
    run()  # warm-up: compilation, memory
    start, rate, runs = time.perf_counter(), 0.0, 0
    while runs < 3 or time.perf_counter() - start < seconds:
        tokens, elapsed = run()
        rate, runs = max(rate, tokens / elapsed), runs + 1
    print(f"{name:28} {rate:9.0f} tokens/s   (best of {runs}{detail})", flush=True)
