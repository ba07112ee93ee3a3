# The cluster of the load tests: etcd, API server, controllers and scheduler on loopback, and nodes simulated by kwok. No
# root, no network namespaces, no containers. Sourced by `cluster`.

# Each program has its own name in the audit log. Operator and generator are service accounts, so that the API server's
# priority and fairness applies to them. e2e/src/load.rs has the same names.
load_operator=system:serviceaccount:shoprl-system:shoprl-operator
load_generator=system:serviceaccount:load:generator

build_kwok() { # sets `kwok`
    local folder
    folder=$cache_root/kwok-$(cat "$here"/kwok/* "$here/build.sh" | sha256sum | cut -c1-16)
    kwok=$folder/kwok
    [ ! -e "$folder/complete" ] || return 0
    mkdir -p "$cache_root"
    (
        flock 9
        [ ! -e "$folder/complete" ] || exit 0
        use_go
        rm -rf "$folder" && mkdir -p "$folder"
        say "building kwok (about two minutes of CPU time, once)"
        go_build "$kwok" kwok ''
        touch "$folder/complete"
    ) 9>"$cache_root/cluster.lock"
}

load_up() { # NODES
    local port user
    packages openssl
    build
    build_kwok
    claim_state
    authority
    certificate api-server /CN=kube-apiserver IP:127.0.0.1,DNS:localhost
    port=$(free_port)
    server=https://127.0.0.1:$port
    component admin /O=system:masters/CN=admin
    component controllers /CN=system:kube-controller-manager
    component scheduler /CN=system:kube-scheduler
    component kwok /O=system:masters/CN=kwok
    for user in operator generator; do
        local account=load_$user
        local name=${!account}
        local space=${name%:*}
        component $user "/O=system:serviceaccounts/O=system:serviceaccounts:${space##*:}/CN=$name"
    done
    api_server '' '' --bind-address 127.0.0.1 --advertise-address 127.0.0.1 --secure-port "$port" \
        --endpoint-reconciler-type none --authorization-mode RBAC --client-ca-file "$state/keys/ca.crt"
    cp "$state/keys/admin.kubeconfig" "$state/kubeconfig"
    await api-server 180 api_ready
    # Raised limits: the defaults of 20 and 50 requests per second would dominate the measurement.
    run_process controllers '' '' "$programs/kube-controller-manager" --kubeconfig "$state/keys/controllers.kubeconfig" \
        --leader-elect=false --secure-port 0 --service-account-private-key-file "$state/keys/accounts.key" \
        --root-ca-file "$state/keys/ca.crt" --use-service-account-credentials --kube-api-qps 1000 --kube-api-burst 1000 \
        --flex-volume-plugin-dir "$state/flexvolume"
    scheduler_configuration >"$state/scheduler.yaml"
    run_process scheduler '' '' "$programs/kube-scheduler" --config "$state/scheduler.yaml" --secure-port 0
    "$kwok" stages >"$state/kwok.yaml"
    run_process kwok '' '' "$kwok" --kubeconfig "$state/keys/kwok.kubeconfig" --config "$state/kwok.yaml" -v WARN
    await controllers 30 enter kubectl get serviceaccount default
    load_objects "$1" | enter kubectl apply --server-side -f - >/dev/null
    enter kubectl apply --server-side -f "$here/../../crds/shoprljobs.shoprl.dev.yaml" >/dev/null
    await api-server 30 enter kubectl get shoprljobs -A
    enter kubectl wait node --all --for condition=Ready --timeout 60s >/dev/null
    echo "export KUBECONFIG=$state/keys/generator.kubeconfig"
}

scheduler_configuration() {
    cat <<YAML
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
clientConnection: {kubeconfig: "$state/keys/scheduler.kubeconfig", qps: 1000, burst: 1000}
leaderElection: {leaderElect: false}
YAML
}

# Nodes, and rights: the operator has exactly those of the chart.
load_objects() { # NODES
    local node
    printf 'apiVersion: v1\nkind: Namespace\nmetadata: {name: shoprl-system}\n---\n'
    for node in $(seq "$1"); do
        printf 'apiVersion: v1\nkind: Node\nmetadata: {name: kwok-%s, labels: {kubernetes.io/hostname: kwok-%s}}\n---\n' "$node" "$node"
    done
    cat <<YAML
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: shoprl-operator}
rules:
$(cat "$here"/../../charts/shoprl/files/{rules,cluster-rules}.yaml)
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: shoprl-operator, namespace: shoprl-system}
rules:
$(sed 's/{{ .Release.Name }}/shoprl/' "$here/../../charts/shoprl/files/own-rules.yaml")
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: shoprl-operator}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: shoprl-operator}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: "$load_operator"}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: shoprl-operator, namespace: shoprl-system}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: shoprl-operator}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: "$load_operator"}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: generator}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: "$load_generator"}]
YAML
}

# Starts an operator, waits until it is the leader, and prints its process id.
load_operator_up() { # BINARY
    local port id
    port=$(free_port)
    [ -e "$state/operator.key" ] || head -c 32 /dev/urandom >"$state/operator.key"
    run_process operator '' '' env "KUBECONFIG=$state/keys/operator.kubeconfig" "$(readlink -f "$1")" \
        --worker-image "localhost/shoprl@sha256:$(printf '0%.0s' $(seq 64))" --key-file "$state/operator.key" \
        --watch-nodes --lease-namespace shoprl-system --listen "127.0.0.1:$port" --log text
    await operator 180 is_leader "$port"
    identify operator
    echo "$id"
}

is_leader() { # PORT
    local line
    exec 3<>"/dev/tcp/127.0.0.1/$1"
    printf 'GET /metrics HTTP/1.1\r\nhost: operator\r\nconnection: close\r\n\r\n' >&3
    while read -r line; do [ "$line" != 'shoprl_operator_leader 1' ] || return 0; done <&3
    return 1
}
