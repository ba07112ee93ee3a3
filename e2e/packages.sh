# Sourced by `e2e/test` and the scripts in docs/benchmarks: Python packages, and where cargo puts what it builds.
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
