# Suspension, scaling, deletion. Sourced by `operator`.

say "a job is suspended, resumed and scaled during the run"
job paused
await 300 "a row of the warm-up" row "$folder" warmup
kubectl patch srj -n shop paused --type merge -p '{"spec":{"suspend":true}}' >/dev/null
kubectl wait -n shop srj/paused --for condition=Suspended --timeout 180s >/dev/null
equal "phase" Suspended "$(status paused .phase)"
equal "running pods" "" "$(kubectl get pods -n shop -l shoprl.dev/job=paused --field-selector status.phase=Running -o name)"
[ -n "$(find "$folder" -name MANIFEST.json)" ] || fail "no checkpoint was written on termination"
kubectl patch srj -n shop paused --type merge -p '{"spec":{"suspend":false}}' >/dev/null
kubectl scale -n shop srj/paused --replicas 3 >/dev/null
await 300 "a third rollout" kubectl get pod -n shop paused-rollout-2-1
complete paused
equal "weights" "$expected" "$(weights "$folder")"
equal "attempt and restarts" "2 " "$(status paused .attempt) $(status paused .restarts)"

say "a deleted job leaves only its claim"
job gone
await 300 "a row of the warm-up" row "$folder" warmup
kubectl delete srj -n shop gone --wait=true >/dev/null
await 180 "the end of its objects" bash -c "[ -z \"\$('$here/cluster' exec '$directory' kubectl get pods,services,configmaps,secrets,networkpolicies,poddisruptionbudgets -n shop -l shoprl.dev/job=gone -o name)\" ]"
equal "remaining objects" "persistentvolumeclaim/gone-store" "$(kubectl get pvc -n shop -l shoprl.dev/job=gone -o name)"
[ -n "$(find "$folder" -name MANIFEST.json)" ] || fail "no checkpoint was written on termination"
