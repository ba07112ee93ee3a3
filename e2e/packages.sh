# Sourced by `e2e/test` and the scripts in docs/benchmarks: Python packages, where cargo puts what it builds, and servers.
# shellcheck shell=bash

# packages REQUIREMENTS [PIP-OPTION...]: sets `venv` to an environment with these packages, made once and kept outside of
# the checkout under a name that follows from the list.
packages() {
    venv="${XDG_CACHE_HOME:-$HOME/.cache}/shoprl/venv-$( (python3 --version; cat "$1"; printf '%s' "${@:2}") |
        sha256sum | cut -c1-16)"
    [ ! -e "$venv/complete" ] || return 0
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install -q --disable-pip-version-check "${@:2}" -r "$1"
    touch "$venv/complete"
}

# Builds everything, and sets `release` to the programs' folder. Everything, as `e2e/test` does: for a crate alone, or without
# the tests, the features of dependencies unify differently, and what that built would be built again.
build() {
    cargo build --release --locked --workspace --all-targets
    release="$(cargo metadata --locked --no-deps --format-version 1 |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')/release"
}

# Sets `directory` to a new folder. When the script ends, it is removed and what `serve` began is ended.
scratch() {
    directory=$(mktemp -d) servers=()
    trap leave EXIT
}
leave() {
    for server in "${servers[@]}"; do kill "$server" 2>/dev/null || true; done
    wait
    rm -rf "$directory"
}

# serve READY COMMAND...: begins COMMAND, and waits until the shell line READY succeeds. If it ends before, its last words are
# shown, and the script ends.
serve() {
    "${@:2}" >"$directory/log" 2>&1 &
    servers+=($!)
    until eval "$1" 2>/dev/null; do
        kill -0 "${servers[-1]}" 2>/dev/null || { echo "the server ended" >&2; tail -n 20 "$directory/log" >&2; exit 1; }
        sleep 0.1
    done
}
