"""A saved model folder in Hugging Face's transformers: logits as Qwen3ForCausalLM, tokens of its tokenizer.

A long command, not part of e2e/test (torch is some gigabytes):

    pip install torch transformers
    cargo run --release -p shoprl-model --example export_logits -- DIR
    python e2e/model/transformers_check.py DIR/nano
    python e2e/model/transformers_check.py DIR/grouped

Exits 1 when a logit differs by more than 1e-3 or a text is cut or joined otherwise.
"""

import json
import sys
from pathlib import Path

import torch
import transformers

TOLERANCE = 1e-3


def main():
    folder = Path(sys.argv[1])
    expected = json.loads((folder / "expected.json").read_text())
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
