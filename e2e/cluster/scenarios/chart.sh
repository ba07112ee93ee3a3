# The chart: upgrade from an older one, failover, upgrade during a run, uninstall. Sourced by `operator` as the last scenario:
# it stops the operator outside of a pod and starts without the CRD.

chart=$here/../../charts/shoprl
helm() { cluster helm "$directory" "$@"; }
key() { kubectl get secret -n shoprl-system shoprl-operator-key -o 'jsonpath={.data.key}'; }
leader() { kubectl get lease -n shoprl-system shoprl-operator -o 'jsonpath={.spec.holderIdentity}'; }

say "upgrade from the chart of the previous commit, with a field less in its CRD"
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
# Its program is the current one, which may not be ready with the older chart.
helm install shoprl "$older" -n shoprl-system "${images[@]}" >/dev/null
await 30 "the CRD" kubectl wait crd/shoprljobs.shoprl.dev --for condition=Established --timeout 5s
short() { sed 's/^spec:$/spec:\n  ttlSecondsAfterFinished: 60/' "$manifest" | kubectl apply -n shop --dry-run=server -f - 2>&1; }
[[ $(short) == *'unknown field "spec.ttlSecondsAfterFinished"'* ]] || fail "the older CRD has the field: $(short)"
first_key=$(key)
helm upgrade shoprl "$chart" -n shoprl-system "${images[@]}" --wait --timeout 180s >/dev/null
equal "the key" "$first_key" "$(key)"
[[ $(short) == *created* ]] || fail "the newer CRD lacks the field: $(short)"

say "leader and a worker are killed, the other replica takes over"
first=$(leader)
job charted
await 300 "a row of the warm-up" row "$folder" warmup
kubectl delete pod -n shoprl-system "$first" --grace-period 0 --force >/dev/null 2>&1
kill_worker rollout "$folder"
complete charted
equal "weights" "$expected" "$(weights "$folder")"
equal "attempt and restarts" "1 1" "$(status charted .attempt) $(status charted .restarts)"
[ "$(leader)" != "$first" ] || fail "$first is still the leader"

say "a terminated leader releases its lease, and the other replica takes over before the lease would expire"
await 60 "two operators" kubectl wait -n shoprl-system deployment/shoprl-operator --for 'jsonpath={.status.readyReplicas}=2' --timeout 1s
first=$(leader)
started=$SECONDS
kubectl delete pod -n shoprl-system "$first" --wait=false >/dev/null
other() { [ -n "$(leader)" ] && [ "$(leader)" != "$first" ]; }
await 14 "another leader" other
say "failover took $((SECONDS - started)) s; the lease expires after 15 s"
logged() { kubectl logs -n shoprl-system "$(leader)" | grep -q "became leader"; }
await 14 "the log message of the new leader" logged

say "an upgrade during a run keeps the key and the job"
job upgraded
await 300 "a row of the warm-up" row "$folder" warmup
helm upgrade shoprl "$chart" -n shoprl-system "${images[@]}" --set log=debug --wait --timeout 180s >/dev/null
equal "the key" "$first_key" "$(key)"
kill_worker reward "$folder"
complete upgraded
equal "weights" "$expected" "$(weights "$folder")"
equal "attempt and restarts" "1 1" "$(status upgraded .attempt) $(status upgraded .restarts)"
# Pod by pod, because a selector limits the output to ten lines.
for pod in $(kubectl get pods -n shoprl-system -o name); do
    ! kubectl logs -n shoprl-system "$pod" | grep -i forbidden || fail "the operator lacks a right that it uses"
done

say "rights of the operator"
may() { # VERB RESOURCE
    kubectl auth can-i "$1" "$2" -n shop --as system:serviceaccount:shoprl-system:shoprl-operator 2>/dev/null || true
}
equal "read secrets" no "$(may get secrets)"
equal "delete claims" no "$(may delete persistentvolumeclaims)"
equal "change jobs" no "$(may update shoprljobs)"
equal "create pods" yes "$(may create pods)"

say "an uninstall keeps the CRD, the jobs and the key"
helm uninstall shoprl -n shoprl-system --wait >/dev/null
equal "phase of an existing job" Complete "$(status charted .phase)"
equal "the key" "$first_key" "$(key)"
equal "deployments" "" "$(kubectl get deployments -n shoprl-system -o name)"

say "namespaced mode"
kubectl create namespace alone >/dev/null
helm install mine "$chart" -n alone "${images[@]}" --set namespaced=true,kind.install=false --wait --timeout 180s >/dev/null
equal "cluster-wide rights" "" "$(kubectl get clusterroles,clusterrolebindings -l app.kubernetes.io/instance=mine -o name)"
sed "s/^  name: smoke$/  name: elsewhere/" "$manifest" | kubectl apply -n shop -f - >/dev/null
namespace=alone job near
namespace=alone complete near
equal "weights" "$expected" "$(weights "$folder")"
equal "status of a job in another namespace" "" "$(status elsewhere '')"
helm uninstall mine -n alone --wait >/dev/null
