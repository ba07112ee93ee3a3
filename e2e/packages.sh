# Python packages, cargo's output folder, and servers. Sourced by `e2e/test` and the scripts in docs/benchmarks.
# shellcheck shell=bash

# packages REQUIREMENTS [PIP-OPTION...]: sets `venv` to an environment with these packages. It is made once and kept outside of
# the checkout, under a hash of the list.
packages() {
    venv="${XDG_CACHE_HOME:-$HOME/.cache}/shoprl/venv-$( (python3 --version; cat "$1"; printf '%s' "${@:2}") |
        sha256sum | cut -c1-16)"
    [ ! -e "$venv/complete" ] || return 0
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install -q --disable-pip-version-check "${@:2}" -r "$1"
    touch "$venv/complete"
}

# Builds everything, the tests included, and sets `release` to the folder of the programs.
build() {
    cargo build --release --locked --workspace --all-targets
    release="$(cargo metadata --locked --no-deps --format-version 1 |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')/release"
}

# Sets `directory` to a new folder. At the end of the script it is removed, and processes of `serve` are terminated.
scratch() {
    directory=$(mktemp -d) servers=()
    trap leave EXIT
}
leave() {
    for server in "${servers[@]}"; do kill "$server" 2>/dev/null || true; done
    wait
    rm -rf "$directory"
}

# serve READY COMMAND...: starts COMMAND and waits until the shell line READY succeeds. If COMMAND ends first, the end of its
# log is printed, and the script ends.
serve() {
    "${@:2}" >"$directory/log" 2>&1 &
    servers+=($!)
    until eval "$1" 2>/dev/null; do
        kill -0 "${servers[-1]}" 2>/dev/null || { echo "the server ended" >&2; tail -n 20 "$directory/log" >&2; exit 1; }
        sleep 0.1
    done
}
