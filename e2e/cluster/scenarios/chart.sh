# The chart: installed, upgraded in mid-run, uninstalled. Sourced by `operator`; the last one, it ends the operator outside of
# a pod.

say "the chart"
chart=$here/../../charts/shoprl
helm() { cluster helm "$directory" "$@"; }
cluster stop "$directory" operator
images=(--set "image.operator=$(cluster image "$directory" "$operator"),image.worker=$image")
helm lint --strict "$chart" "${images[@]}" >/dev/null
! helm template shoprl "$chart" >"$directory/refused" 2>&1 || fail "a chart without images was rendered"
grep -q "image.worker is missing\|image.operator is missing" "$directory/refused" || fail "$(cat "$directory/refused")"
kubectl create namespace shoprl-system >/dev/null
kubectl label namespace shoprl-system pod-security.kubernetes.io/enforce=restricted >/dev/null
# The kind was applied by hand above.
helm install shoprl "$chart" -n shoprl-system --take-ownership "${images[@]}" --wait --timeout 120s >/dev/null
job charted
complete charted
equal "weights" "$expected" "$(weights "$folder")"
key() { kubectl get secret -n shoprl-system shoprl-operator-key -o 'jsonpath={.data.key}'; }
first_key=$(key)

say "an upgrade in mid-run keeps the key and the job"
job upgraded
await 300 "a row of the warm-up" row "$folder" warmup
helm upgrade shoprl "$chart" -n shoprl-system "${images[@]}" --set log=debug --wait --timeout 120s >/dev/null
equal "the key" "$first_key" "$(key)"
kill_worker reward "$folder"
complete upgraded
equal "weights" "$expected" "$(weights "$folder")"
equal "attempt and restarts" "1 1" "$(status upgraded .attempt) $(status upgraded .restarts)"
! kubectl logs -n shoprl-system deployment/shoprl-operator | grep -i forbidden || fail "the operator may not do what it does"

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
