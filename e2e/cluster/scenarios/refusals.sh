# Refused manifests, and jobs that wait, have messages with the reason. Sourced by `operator`.

say "invalid manifests are refused with the remedy"
refused() { # WHAT SED-EXPRESSION ANSWER
    ! sed "s/^  name: smoke$/  name: refused/; $2" "$manifest" | kubectl apply -n shop -f - >/dev/null 2>"$directory/refused" ||
        fail "$1 was accepted"
    grep -q "$3" "$directory/refused" || fail "$1: $(cat "$directory/refused")"
}
refused "no task" 's/^    tasksPerStep: 4$/    tasksPerStep: 0/' "must be from 1 to"
refused "an unknown field" 's/^    steps: 3$/    stepz: 3/' 'unknown field "spec.training.stepz"'
sed 's/^  name: smoke$/  name: plain/; s/^    steps: 3$/    steps: 4/' "$manifest" | kubectl apply -n shop -f - 2>"$directory/refused" >/dev/null &&
    fail "a change of the steps of a running job was accepted"
grep -q "create a job with another name instead" "$directory/refused" || fail "$(cat "$directory/refused")"

say "a waiting job has a message with the reason"
sed 's/^  name: smoke$/  name: homeless/' "$manifest" | kubectl apply -n shop -f - >/dev/null
ready() { status homeless '.conditions[?(@.type=="RolesReady")].message'; }
says() { [[ $(ready) == *"trainer-0 cannot be placed: "*"unbound immediate PersistentVolumeClaims"* ]]; }
await 60 "the message about the missing volume ($(ready))" says
kubectl delete srj -n shop homeless --wait=true >/dev/null
kubectl delete pvc -n shop homeless-store >/dev/null

say "an unreadable job has a condition, other jobs continue"
kind=(crd shoprljobs.shoprl.dev --type json -p)
field=/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/ttlSecondsAfterFinished
strict=$(kubectl get crd shoprljobs.shoprl.dev -o json | python3 -c 'import json, sys
spec = json.load(sys.stdin)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
print(json.dumps(spec["properties"]["ttlSecondsAfterFinished"]))')
kubectl patch "${kind[@]}" "[{\"op\": \"replace\", \"path\": \"$field\", \"value\": {\"x-kubernetes-preserve-unknown-fields\": true}}]" >/dev/null
newer() { sed 's/^  name: smoke$/  name: newer/; s/^spec:$/spec:\n  ttlSecondsAfterFinished: soon/' "$manifest" | kubectl apply -n shop -f -; }
await 30 "the looser CRD" newer
accepted() { status newer '.conditions[?(@.type=="Accepted")].message'; }
says() { [[ $(accepted) == 'spec.ttlSecondsAfterFinished: invalid type: string "soon"'*"apply the manifest again"* ]]; }
await 60 "the condition of the unreadable job ($(accepted))" says
equal "its pods" "" "$(kubectl get pods -n shop -l shoprl.dev/job=newer -o name)"
kubectl patch srj -n shop newer --type json -p '[{"op": "replace", "path": "/spec/ttlSecondsAfterFinished", "value": 600}, {"op": "add", "path": "/spec/suspend", "value": true}]' >/dev/null
kubectl patch "${kind[@]}" "[{\"op\": \"replace\", \"path\": \"$field\", \"value\": $strict}]" >/dev/null
await 60 "acceptance of the repaired job" kubectl wait -n shop srj/newer --for condition=Accepted --timeout 1s
kubectl delete srj -n shop newer --wait=true >/dev/null
