# Starts etcd, API server, controllers, scheduler and DNS, and makes their keys. Sourced by `cluster`.

address=10.250.0.1 # of the control plane, in its own namespace
server=https://$address:6443

# The cluster's own certificate authority.
authority() {
    mkdir -p "$state/keys"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=shoprl-test -days 30 \
        -keyout "$state/keys/ca.key" -out "$state/keys/ca.crt" 2>/dev/null
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out "$state/keys/accounts.key" 2>/dev/null
    openssl pkey -in "$state/keys/accounts.key" -pubout -out "$state/keys/accounts.pub"
}

certificate() { # NAME SUBJECT [ALTERNATIVE NAMES]
    local key=$state/keys/$1
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "$2" -keyout "$key.key" -out "$key.csr" 2>/dev/null
    openssl x509 -req -in "$key.csr" -CA "$state/keys/ca.crt" -CAkey "$state/keys/ca.key" -CAcreateserial -days 30 \
        -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\n' "${3:-DNS:$1}") -out "$key.crt" 2>/dev/null
}

# A kubeconfig with embedded credentials; USER is their YAML.
kubeconfig() { # FILE SERVER USER
    cat >"$1" <<YAML
apiVersion: v1
kind: Config
clusters: [{name: shoprl, cluster: {server: "$2", certificate-authority-data: $(base64 -w0 "$state/keys/ca.crt")}}]
users: [{name: user, user: {$3}}]
contexts: [{name: shoprl, context: {cluster: shoprl, user: user}}]
current-context: shoprl
YAML
    chmod 600 "$1"
}

# Key pair and kubeconfig of one component.
component() { # NAME SUBJECT
    certificate "$1" "$2"
    kubeconfig "$state/keys/$1.kubeconfig" "$server" \
        "client-certificate-data: $(base64 -w0 "$state/keys/$1.crt"), client-key-data: $(base64 -w0 "$state/keys/$1.key")"
}

# etcd and the API server. The arguments differ between the modes.
api_server() { # NAMESPACE CGROUP ARGUMENT...
    local namespace=$1 cgroup=$2
    shift 2
    # All writes, from which load tests count the API calls of a job.
    cat >"$state/audit-policy.yaml" <<'YAML'
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: None, verbs: [get, list, watch]}
- {level: Metadata}
YAML
    run_process etcd "$namespace" "$cgroup" "$programs/etcd" --data-dir "$state/etcd" --listen-client-url "unix://$state/etcd.sock"
    run_process api-server "$namespace" "$cgroup" "$programs/kube-apiserver" --etcd-servers "unix://$state/etcd.sock" \
        --service-cluster-ip-range 10.96.0.0/16 --service-account-issuer https://kubernetes.default.svc \
        --service-account-key-file "$state/keys/accounts.pub" --service-account-signing-key-file "$state/keys/accounts.key" \
        --tls-cert-file "$state/keys/api-server.crt" --tls-private-key-file "$state/keys/api-server.key" \
        --audit-policy-file "$state/audit-policy.yaml" --audit-log-path "$state/audit.log" "$@"
}

api_ready() { enter kubectl get --raw /readyz; }

free_port() {
    local port
    while port=$((20000 + RANDOM % 10000)) && (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
    echo "$port"
}

# Only the API, for schemas, CEL rules and conflicts. Without pods there is no need for service accounts.
api_up() { # VERSION
    local port token
    packages openssl
    if [ "$1" = 1.34 ]; then build; else build "api-$1"; fi
    claim_state
    authority
    certificate api-server /CN=kube-apiserver IP:127.0.0.1,DNS:localhost
    port=$(free_port)
    token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    (umask 077 && echo "$token,admin,admin,\"system:masters\"" >"$state/keys/tokens")
    api_server '' '' --bind-address 127.0.0.1 --advertise-address 127.0.0.1 --secure-port "$port" \
        --endpoint-reconciler-type none --authorization-mode RBAC --token-auth-file "$state/keys/tokens" \
        --disable-admission-plugins ServiceAccount
    kubeconfig "$state/kubeconfig" "https://127.0.0.1:$port" "token: $token"
    await api-server 60 api_ready
    await api-server 30 enter kubectl get namespace default
    echo "export KUBECONFIG=$state/kubeconfig PATH=$state/programs:\$PATH"
}

control_plane() {
    local group=control/daemons
    make_cgroup "$group"
    ip netns add "$name"
    nsenter --net="/run/netns/$name" -- bash -euc "
        ip link set lo up
        # A bridge is the nodes' network. It has no port to the outside.
        ip link add nodes type bridge
        ip address add $address/24 dev nodes
        ip link set nodes up
        echo 1 >/proc/sys/net/ipv4/ip_forward"
    authority
    certificate api-server /CN=kube-apiserver "IP:$address,IP:10.96.0.1,IP:127.0.0.1,DNS:kubernetes.default.svc,DNS:localhost"
    certificate api-server-client /O=system:masters/CN=kube-apiserver-kubelet-client
    component admin /O=system:masters/CN=admin
    component controllers /CN=system:kube-controller-manager
    component scheduler /CN=system:kube-scheduler
    component proxy /CN=system:kube-proxy
    component dns /O=system:masters/CN=dns
    api_server "$name" "$group" --bind-address 0.0.0.0 --advertise-address $address --authorization-mode Node,RBAC \
        --client-ca-file "$state/keys/ca.crt" --requestheader-client-ca-file "$state/keys/ca.crt" \
        --requestheader-allowed-names front-proxy --requestheader-username-headers X-Remote-User --enable-admission-plugins NodeRestriction --allow-privileged=true \
        --kubelet-preferred-address-types InternalIP --kubelet-certificate-authority "$state/keys/ca.crt" \
        --kubelet-client-certificate "$state/keys/api-server-client.crt" --kubelet-client-key "$state/keys/api-server-client.key"
    cp "$state/keys/admin.kubeconfig" "$state/kubeconfig"
    await api-server 60 api_ready
    local as=() flag
    for flag in kubeconfig authentication-kubeconfig authorization-kubeconfig; do as+=("--$flag=$state/keys/%.kubeconfig"); done
    run_process controllers "$name" "$group" "$programs/kube-controller-manager" "${as[@]//%/controllers}" --leader-elect=false \
        --service-account-private-key-file "$state/keys/accounts.key" --root-ca-file "$state/keys/ca.crt" \
        --use-service-account-credentials --node-monitor-grace-period 20s --node-monitor-period 2s --pvclaimbinder-sync-period 1s \
        --flex-volume-plugin-dir "$state/flexvolume"
    run_process scheduler "$name" "$group" "$programs/kube-scheduler" "${as[@]//%/scheduler}" --leader-elect=false
    dns "$group"
    # Pods are refused until their namespace has its default service account.
    await controllers 30 enter kubectl get serviceaccount default
}

dns() { # CGROUP
    cat >"$state/Corefile" <<CONFIG
.:1053 {
    errors
    health $address:8081
    ready $address:8181
    kubernetes cluster.local in-addr.arpa {
        kubeconfig $state/keys/dns.kubeconfig
    }
    cache 30
}
CONFIG
    run_process dns "$name" "$1" "$programs/coredns" -conf "$state/Corefile"
    sed "s/ADDRESS/$address/" "$here/dns/service.yaml" | enter kubectl apply -f - >/dev/null
}

# Runs a command in the network of the API server, with kubectl and the administrator's credentials.
enter() {
    local at=()
    [ ! -e "/run/netns/$name" ] || at=(nsenter --net="/run/netns/$name" --)
    KUBECONFIG=$state/kubeconfig PATH=$programs:$PATH "${at[@]}" "$@"
}
