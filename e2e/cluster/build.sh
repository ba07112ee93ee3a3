# Builds the programs once per content of their sources, into a cache outside of the checkout. Sourced by `cluster`.

cache_root=${XDG_CACHE_HOME:-$HOME/.cache}/shoprl
# The toolchain comes from the Go module proxy.
go_version=go1.26.8
go_sha256=30c2b1bf7dcc88d3eb0a1364e47ddd9128edb3110a30e8a0ef61cd5856b31de7

# Installs missing Debian packages.
packages() { # NAME...
    local package missing=()
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
    done
    [ "${#missing[@]}" -gt 0 ] || return 0
    local root=()
    [ "$(id -u)" = 0 ] || root=(sudo)
    say "installing ${missing[*]}"
    { "${root[@]}" apt-get update -q &&
        "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}"; } >&2
}

# Puts the pinned Go first in PATH. An installed Go 1.21 or later fetches and verifies the pinned version itself. Debian
# bookworm's Go 1.19 cannot, so the toolchain is then downloaded from the proxy.
use_go() {
    export GOTOOLCHAIN=$go_version GOFLAGS=-buildvcs=false CGO_ENABLED=0
    if command -v go >/dev/null && [ "$(go env GOVERSION 2>/dev/null)" = $go_version ]; then return; fi
    local folder=$cache_root/$go_version
    if [ ! -x "$folder/bin/go" ]; then
        packages curl unzip ca-certificates
        say "fetching $go_version"
        rm -rf "$folder.part" && mkdir -p "$folder.part"
        curl -sSfo "$folder.part/zip" "https://proxy.golang.org/golang.org/toolchain/@v/v0.0.1-$go_version.linux-amd64.zip"
        echo "$go_sha256  $folder.part/zip" | sha256sum --check --quiet >&2
        unzip -q "$folder.part/zip" -d "$folder.part"
        chmod -R +x "$folder.part"/golang.org/*/bin "$folder.part"/golang.org/*/pkg/tool
        mv "$folder.part"/golang.org/* "$folder"
        rm -rf "$folder.part"
    fi
    export PATH=$folder/bin:$PATH
}

# go_build OUTPUT FOLDER VERSION [ARGUMENT...]: a static program without paths of this machine, so equal on all machines.
go_build() {
    local output=$1 folder=$2 version=$3 flags='-s -w'
    shift 3
    if [ -n "$version" ]; then
        local minor=${version#v1.}
        flags+=" -X k8s.io/component-base/version.gitVersion=$version -X k8s.io/component-base/version.gitMajor=1"
        flags+=" -X k8s.io/component-base/version.gitMinor=${minor%%.*}"
    fi
    (cd "$here/$folder" && go build -mod=readonly -trimpath -ldflags "$flags" -o "$output" "$@" .) >&2
}

kubernetes_version() { sed -n 's/^\(require \)\?\t\?k8s.io\/kubernetes \(v[0-9.]*\).*/\2/p' "$1"; }

# build [KIND]: sets `programs` to the folder of the programs. KIND "api-1.37" builds only an API server of that version.
build() {
    local kind=${1:-} module=$here/kubernetes/go.mod inputs
    case $kind in
    '' | api) kind='' inputs=("$here"/kubernetes/*.go "$here"/kubernetes/go.{mod,sum} "$here"/{dns,pause}/*) ;;
    api-*)
        module=$here/kubernetes/go-${kind#api-}.mod
        [ -e "$module" ] || fail "no $module; write it with generate-go-mod"
        inputs=("$here"/kubernetes/*.go "$module" "${module%.mod}.sum") ;;
    esac
    local key
    key=$(cat "${inputs[@]}" "$here/build.sh" | sha256sum | cut -c1-16)
    programs=$cache_root/cluster-${kind:+$kind-}$key
    [ ! -e "$programs/complete" ] || return 0
    mkdir -p "$cache_root"
    ( # One build at a time; a waiting process finds the programs complete.
        flock 9
        [ ! -e "$programs/complete" ] || exit 0
        use_go
        rm -rf "$programs" && mkdir -p "$programs"
        say "building Kubernetes $(kubernetes_version "$module") (about six minutes of CPU time, once)"
        if [ -z "$kind" ]; then
            go_build "$programs/kube" kubernetes "$(kubernetes_version "$module")"
            go_build "$programs/coredns" dns ''
            go_build "$programs/pause" pause ''
            local part parts=(etcd kube-apiserver kubectl kube-controller-manager kube-scheduler kube-proxy kubelet)
        else
            go_build "$programs/kube" kubernetes "$(kubernetes_version "$module")" -modfile "$module" -tags api
            local part parts=(etcd kube-apiserver kubectl)
        fi
        for part in "${parts[@]}"; do ln -s kube "$programs/$part"; done
        touch "$programs/complete"
    ) 9>"$cache_root/cluster.lock"
}
