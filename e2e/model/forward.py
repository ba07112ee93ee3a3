"""An independent forward pass over a saved model folder, in numpy and double precision.

    python forward.py FOLDER

Reads config.json and model.safetensors as their published formats define them, computes the logits after each text of
expected.json, and exits 1 if one differs by more than 1e-3.
"""

import json
import struct
import sys
from pathlib import Path

import numpy as np

TOLERANCE = 1e-3


def read_safetensors(path):
    """Eight bytes of header length, a JSON header, then the tensors: https://github.com/huggingface/safetensors."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        assert entry["dtype"] == "F32", f"{name} is {entry['dtype']}"
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        tensors[name] = np.frombuffer(data[begin:end], "<f4").reshape(entry["shape"]).astype(np.float64)
    return tensors


def rms_norm(x, gain, eps):
    return x / np.sqrt(np.mean(x * x, -1, keepdims=True) + eps) * gain


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def rotate(x, theta):
    """Rotary embedding of [heads, positions, head]: rotates the first half of a head with the second."""
    half = x.shape[-1] // 2
    angle = np.arange(x.shape[1])[:, None] * theta ** (-np.arange(half) / half)
    a, b = x[..., :half], x[..., half:]
    return np.concatenate([a * np.cos(angle) - b * np.sin(angle), b * np.cos(angle) + a * np.sin(angle)], -1)


def logits(config, tensors, tokens):
    """Logits of the token after `tokens`."""
    eps, theta = config["rms_norm_eps"], config["rope_theta"]
    heads, shared, head = config["num_attention_heads"], config["num_key_value_heads"], config["head_dim"]
    count = len(tokens)
    future = np.triu(np.full((count, count), -np.inf), 1)
    embedding = tensors["model.embed_tokens.weight"]
    x = embedding[tokens]
    for layer in range(config["num_hidden_layers"]):
        w = lambda name: tensors[f"model.layers.{layer}.{name}.weight"]
        by_head = lambda y, n: y.reshape(count, n, head).transpose(1, 0, 2)
        y = rms_norm(x, w("input_layernorm"), eps)
        q = rotate(rms_norm(by_head(y @ w("self_attn.q_proj").T, heads), w("self_attn.q_norm"), eps), theta)
        k = rotate(rms_norm(by_head(y @ w("self_attn.k_proj").T, shared), w("self_attn.k_norm"), eps), theta)
        v = by_head(y @ w("self_attn.v_proj").T, shared)
        k, v = (np.repeat(part, heads // shared, axis=0) for part in (k, v))
        attended = softmax(q @ k.transpose(0, 2, 1) / np.sqrt(head) + future) @ v
        x = x + attended.transpose(1, 0, 2).reshape(count, heads * head) @ w("self_attn.o_proj").T
        y = rms_norm(x, w("post_attention_layernorm"), eps)
        gate = y @ w("mlp.gate_proj").T
        x = x + (gate / (1 + np.exp(-gate)) * (y @ w("mlp.up_proj").T)) @ w("mlp.down_proj").T
    return rms_norm(x[-1], tensors["model.norm.weight"], eps) @ embedding.T


def main():
    folder = Path(sys.argv[1])
    config = json.loads((folder / "config.json").read_text())
    tensors = read_safetensors(folder / "model.safetensors")
    expected = json.loads((folder / "expected.json").read_text())["logits"]
    assert expected, "expected.json has no text"
    differences = [np.abs(logits(config, tensors, text["tokens"]) - np.array(text["logits"])) for text in expected]
    worst = np.max(differences)
    verdict = "ok" if worst <= TOLERANCE else f"more than {TOLERANCE}"
    print(f"{folder}: largest difference of a logit over {len(expected)} texts {worst:.2e}: {verdict}")
    sys.exit(0 if worst <= TOLERANCE else 1)


if __name__ == "__main__":
    main()
