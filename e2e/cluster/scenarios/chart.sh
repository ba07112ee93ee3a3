# The chart: upgraded from an older one, its leader killed, upgraded in mid-run, uninstalled. Sourced by `operator`; the last
# one, it ends the operator outside of a pod and begins with no kind.

chart=$here/../../charts/shoprl
helm() { cluster helm "$directory" "$@"; }
key() { kubectl get secret -n shoprl-system shoprl-operator-key -o 'jsonpath={.data.key}'; }
leader() { kubectl get lease -n shoprl-system shoprl-operator -o 'jsonpath={.spec.holderIdentity}'; }

say "the chart of the commit before, its kind without a field, is upgraded"
cluster stop "$directory" operator
kubectl delete crd shoprljobs.shoprl.dev --wait=true >/dev/null
cluster image "$directory" "$operator" >/dev/null
# The values files that worker-image/build wrote.
images=(-f "$directory/images/shoprl.yaml" -f "$directory/images/shoprl-operator.yaml")
! helm template shoprl "$chart" >"$directory/refused" 2>&1 || fail "a chart without images was rendered"
grep -q "image\.\(worker\|operator\) is missing" "$directory/refused" || fail "$(cat "$directory/refused")"
older=$directory/older
mkdir "$older"
before=$(git -C "$chart" log -2 --format=%H -- . | tail -n 1)
git -C "$chart" archive "$before" . | tar -x -C "$older"
kubectl patch --local -f "$older/files/shoprljobs.shoprl.dev.yaml" --type json -o yaml \
    -p '[{"op": "remove", "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/ttlSecondsAfterFinished"}]' >"$older/kind"
mv "$older/kind" "$older/files/shoprljobs.shoprl.dev.yaml"
kubectl create namespace shoprl-system >/dev/null
kubectl label namespace shoprl-system pod-security.kubernetes.io/enforce=restricted >/dev/null
# Its program is today's, so nobody waits for it to be ready.
helm install shoprl "$older" -n shoprl-system "${images[@]}" >/dev/null
await 30 "the kind" kubectl wait crd/shoprljobs.shoprl.dev --for condition=Established --timeout 5s
short() { sed 's/^spec:$/spec:\n  ttlSecondsAfterFinished: 60/' "$manifest" | kubectl apply -n shop --dry-run=server -f - 2>&1; }
[[ $(short) == *'unknown field "spec.ttlSecondsAfterFinished"'* ]] || fail "the older kind knows the field: $(short)"
first_key=$(key)
helm upgrade shoprl "$chart" -n shoprl-system "${images[@]}" --wait --timeout 180s >/dev/null
equal "the key" "$first_key" "$(key)"
[[ $(short) == *created* ]] || fail "the newer kind does not know the field: $(short)"

say "the leader dies, a worker dies, the other operator takes over"
first=$(leader)
job charted
await 300 "a row of the warm-up" row "$folder" warmup
kubectl delete pod -n shoprl-system "$first" --grace-period 0 --force >/dev/null 2>&1
kill_worker rollout "$folder"
complete charted
equal "weights" "$expected" "$(weights "$folder")"
equal "attempt and restarts" "1 1" "$(status charted .attempt) $(status charted .restarts)"
[ "$(leader)" != "$first" ] || fail "$first still leads"

say "the leader is asked to leave: it gives the lease back, and the other one leads long before it would have expired"
await 60 "two operators" kubectl wait -n shoprl-system deployment/shoprl-operator --for 'jsonpath={.status.readyReplicas}=2' --timeout 1s
first=$(leader)
started=$SECONDS
kubectl delete pod -n shoprl-system "$first" --wait=false >/dev/null
other() { [ -n "$(leader)" ] && [ "$(leader)" != "$first" ]; }
await 14 "another leader" other
say "it took $((SECONDS - started)) s of the 15 after which a silent one is replaced"
seen() { kubectl logs -n shoprl-system "$(leader)" | grep -q "became leader"; }
await 14 "that the new one leads" seen

say "an upgrade in mid-run keeps the key and the job"
job upgraded
await 300 "a row of the warm-up" row "$folder" warmup
helm upgrade shoprl "$chart" -n shoprl-system "${images[@]}" --set log=debug --wait --timeout 180s >/dev/null
equal "the key" "$first_key" "$(key)"
kill_worker reward "$folder"
complete upgraded
equal "weights" "$expected" "$(weights "$folder")"
equal "attempt and restarts" "1 1" "$(status upgraded .attempt) $(status upgraded .restarts)"
# Not by way of a selector: that would end at the last ten lines.
for pod in $(kubectl get pods -n shoprl-system -o name); do
    ! kubectl logs -n shoprl-system "$pod" | grep -i forbidden || fail "the operator may not do what it does"
done

say "what the operator may do, and may not"
may() { # VERB RESOURCE
    kubectl auth can-i "$1" "$2" -n shop --as system:serviceaccount:shoprl-system:shoprl-operator 2>/dev/null || true
}
equal "read secrets" no "$(may get secrets)"
equal "delete claims" no "$(may delete persistentvolumeclaims)"
equal "change jobs" no "$(may update shoprljobs)"
equal "create pods" yes "$(may create pods)"

say "an uninstall keeps the kind, the jobs and the key"
helm uninstall shoprl -n shoprl-system --wait >/dev/null
equal "phase of a job that was there" Complete "$(status charted .phase)"
equal "the key" "$first_key" "$(key)"
equal "deployments" "" "$(kubectl get deployments -n shoprl-system -o name)"

say "in one namespace alone"
kubectl create namespace alone >/dev/null
helm install mine "$chart" -n alone "${images[@]}" --set namespaced=true,kind.install=false --wait --timeout 180s >/dev/null
equal "rights for the cluster" "" "$(kubectl get clusterroles,clusterrolebindings -l app.kubernetes.io/instance=mine -o name)"
sed "s/^  name: smoke$/  name: elsewhere/" "$manifest" | kubectl apply -n shop -f - >/dev/null
namespace=alone job near
namespace=alone complete near
equal "weights" "$expected" "$(weights "$folder")"
equal "the status of a job of another namespace" "" "$(status elsewhere '')"
helm uninstall mine -n alone --wait >/dev/null
