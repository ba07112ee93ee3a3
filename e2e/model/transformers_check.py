"""Checks a saved model folder in Hugging Face's transformers: logits as Qwen3ForCausalLM, tokens of its tokenizer.

Not part of e2e/test, because torch needs some gigabytes:

    pip install torch transformers
    cargo run --release -p shoprl-model --example export_logits -- DIR
    python e2e/model/transformers_check.py DIR/nano
    python e2e/model/transformers_check.py DIR/grouped
    python e2e/model/transformers_check.py runs/quickstart/attempt-0001/step-000250/model

The first two have an expected.json with the logits and tokens of ShopRL itself. A run's model has none: its logits are
compared with those of forward.py, the independent forward pass in numpy. Exits 1 if a logit differs by more than 1e-3 or a
text is encoded or decoded differently.
"""

import json
import sys
from pathlib import Path

import forward
import numpy as np
import torch
import transformers

TOLERANCE = 1e-3


def independent(folder):
    """Logits of forward.py after texts of random tokens."""
    config = json.loads((folder / "config.json").read_text())
    tensors = forward.read_safetensors(folder / "model.safetensors")
    random = np.random.default_rng(1)
    texts = [random.integers(0, config["vocab_size"], length).tolist() for length in (1, 2, 33, 300)]
    return [{"tokens": text, "logits": forward.logits(config, tensors, text).tolist()} for text in texts]


def main():
    folder = Path(sys.argv[1])
    file = folder / "expected.json"
    expected = json.loads(file.read_text()) if file.exists() else {"logits": independent(folder), "texts": []}
    model, report = transformers.AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    assert type(model).__name__ == "Qwen3ForCausalLM", type(model).__name__
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        assert not report.get(kind), f"{kind}: {report[kind]}"
    model.eval()
    with torch.no_grad():
        found = [model(torch.tensor([text["tokens"]])).logits[0, -1] for text in expected["logits"]]
    wanted = torch.tensor([text["logits"] for text in expected["logits"]])
    worst = (torch.stack(found) - wanted).abs().max().item()

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    faults = []
    for text in expected["texts"]:
        tokens = tokenizer.encode(text["text"], add_special_tokens=False)
        joined = tokenizer.decode(tokens)
        if tokens != text["tokens"] or joined != text["text"]:
            faults.append(f"{text['text']!r}: {tokens} for {text['tokens']}, joined {joined!r}")
    names = (tokenizer.eos_token, tokenizer.pad_token, model.config.eos_token_id, tokenizer.eos_token_id)
    if names != ("<|end|>", "<|pad|>", 258, 258):
        faults.append(f"control tokens: {names}")

    for fault in faults:
        print(f"{folder}: {fault}")
    ok = worst <= TOLERANCE and not faults
    print(f"{folder}: transformers {transformers.__version__}, largest difference of a logit {worst:.2e}, "
          f"{len(expected['texts'])} texts tokenized: {'ok' if ok else 'FAILED'}")
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
