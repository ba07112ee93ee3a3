# Nodes: network namespaces with their own containerd, kubelet and kube-proxy. Sourced by `cluster`.

# Roots of the cgroup hierarchies: one tree (v2), or one per controller and an empty one (v1).
hierarchies() {
    if [ -e /sys/fs/cgroup/cgroup.controllers ]; then echo /sys/fs/cgroup; else awk '$3 ~ /^cgroup2?$/ {print $2}' /proc/mounts; fi
}

# The hierarchy that has all processes of the cluster, forked ones included.
tracking() {
    if [ -e /sys/fs/cgroup/cgroup.controllers ]; then echo "/sys/fs/cgroup/$name"; else echo "/sys/fs/cgroup/pids/$name"; fi
}

make_cgroup() { # PATH below the cluster's own
    local root at part
    for root in $(hierarchies); do
        at=$root
        for part in "$name" ${1//\// }; do
            # v2 enables controllers explicitly; v1's cpuset starts empty.
            [ ! -e "$at/cgroup.subtree_control" ] || echo "+cpu +cpuset +io +memory +pids" >"$at/cgroup.subtree_control" 2>/dev/null || true
            mkdir -p "$at/$part"
            if [ -e "$root/cpuset.cpus" ] && [ ! -e "$root/cgroup.controllers" ]; then
                cat "$at/cpuset.cpus" >"$at/$part/cpuset.cpus"
                cat "$at/cpuset.mems" >"$at/$part/cpuset.mems"
            fi
            at+=/$part
        done
    done
}

# Starts a node and sets `node` to its name.
add_node() { # LABELS
    local i=1
    while [ -e "$state/node$i" ]; do i=$((i + 1)); done
    node=node$i
    local home=$state/node$i at=10.250.0.$((10 + i)) pods=10.244.$i.0/24 space=$name-$i group=node$i/daemons
    mkdir -p "$home/cni" "$state/images"
    make_cgroup "$group"
    ip netns add "$space"
    ip link add "n$i" netns "$name" type veth peer name eth0 netns "$space"
    nsenter --net="/run/netns/$name" -- bash -euc "
        ip link set n$i master nodes up
        ip route add $pods via $at"
    nsenter --net="/run/netns/$space" -- bash -euc "
        ip link set lo up
        ip address add $at/24 dev eth0
        ip link set eth0 up
        ip route add default via $address
        echo 1 >/proc/sys/net/ipv4/ip_forward"
    certificate "$node-server" "/CN=$node" "DNS:$node,IP:$at"
    component "$node" "/O=system:nodes/CN=system:node:$node"
    runtime_configuration "$home" "$pods"
    kubelet_configuration "$home"
    run_process "containerd-$i" "$space" "$group" containerd --config "$home/containerd.toml"
    await_runtime "$i"
    import_images "$i"
    run_process "kubelet-$i" "$space" "$group" "$programs/kubelet" --config "$home/kubelet.yaml" --root-dir "$home/kubelet" \
        --kubeconfig "$state/keys/$node.kubeconfig" --hostname-override "$node" --node-ip "$at" --node-labels "$1"
    run_process "proxy-$i" "$space" "$group" "$programs/kube-proxy" --config "$home/proxy.yaml"
}

runtime_configuration() { # HOME PODS
    cat >"$1/containerd.toml" <<TOML
version = 2
root = "$1/containerd"
state = "$1/run"
[grpc]
  address = "$1/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "$1/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  # Without CAP_SYS_RESOURCE, as inside many virtual machines, runc cannot lower the score and fails.
  restrict_oom_score_adj = true
  # In the cluster's folder, so that it is removed with the cluster.
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$1/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        Root = "$1/runc"
TOML
    # ptp instead of bridge: all packets are routed, so Services need no bridge netfilter.
    cat >"$1/cni/10-pods.conflist" <<JSON
{"cniVersion": "1.0.0", "name": "$name", "plugins": [
  {"type": "ptp", "ipMasq": false,
   "ipam": {"type": "host-local", "dataDir": "$1/addresses", "ranges": [[{"subnet": "$2"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
JSON
}

kubelet_configuration() { # HOME
    : >"$1/resolv.conf" # pods resolve only names of the cluster
    cat >"$1/kubelet.yaml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $state/keys/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $state/keys/$node-server.crt
tlsPrivateKeyFile: $state/keys/$node-server.key
containerRuntimeEndpoint: unix://$1/containerd.sock
clusterDNS: [10.96.0.10]
clusterDomain: cluster.local
resolvConf: $1/resolv.conf
podLogsDir: $1/logs
volumePluginDir: $1/flexvolume
# Kubelets on one machine need their own roots, or they kill each other's pods as orphans.
cgroupRoot: /$name/$node
cgroupDriver: cgroupfs
cgroupsPerQOS: true
enforceNodeAllocatable: [pods]
failCgroupV1: false
failSwapOn: false
# The disk is the machine's: no eviction and no image collection when it is nearly full.
evictionHard: {}
imageGCHighThresholdPercent: 100
nodeStatusUpdateFrequency: 4s
serializeImagePulls: false
YAML
    cat >"$1/proxy.yaml" <<YAML
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: $state/keys/proxy.kubeconfig}
hostnameOverride: $node
mode: iptables
clusterCIDR: 10.244.0.0/16
conntrack: {maxPerCore: 0, min: 0} # keeps the machine's limit
YAML
}

await_runtime() { await "containerd-$1" 60 ctr --address "$state/node$1/containerd.sock" version; } # NODE'S NUMBER

await_node() { await "kubelet-${1#node}" 90 enter kubectl wait --for condition=Ready "node/$1" --timeout 1s; }

# Power failure: the network is cut first, so that peers see silence and no closed connections.
stop_node() { # NODE
    local i=${1#node}
    [ -e "$state/$1" ] || fail "$1: no such node"
    nsenter --net="/run/netns/$name" -- ip link set "n$i" down
    end_cgroup "$(tracking)/$1"
    remove_shim_sockets "$state/$1"
}

start_node() { # NODE
    local i=${1#node}
    [ -e "$state/$1" ] || fail "$1: no such node"
    nsenter --net="/run/netns/$name" -- ip link set "n$i" up
    begin_process "containerd-$i"
    await_runtime "$i" # a kubelet without a runtime exits
    begin_process "kubelet-$i"
    begin_process "proxy-$i"
}

# Kills all processes of a cgroup and its children, forked ones included.
end_cgroup() { # FOLDER
    local processes try
    for try in $(seq 100); do
        processes=$(find "$1" -name cgroup.procs -exec cat {} + 2>/dev/null || true)
        [ -n "$processes" ] || return 0
        # shellcheck disable=SC2086 # a list
        kill -s KILL $processes 2>/dev/null || true
        sleep 0.05
    done
    fail "processes in $1 survive SIGKILL: $(xargs <<<"$processes")"
}

cluster_up() { # NODES
    local i
    packages openssl iproute2 util-linux procps containerd runc containernetworking-plugins iptables conntrack buildah
    build
    claim_state
    pause_image
    control_plane
    for i in $(seq "$1"); do add_node ''; done
    for i in $(seq "$1"); do await_node "node$i"; done
    echo "export KUBECONFIG=$state/kubeconfig PATH=$state/programs:\$PATH # inside of: ${BASH_SOURCE[-1]} exec $state COMMAND"
}
