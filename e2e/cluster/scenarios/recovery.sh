# Failures: the weights stay those of `shoprl run`. Sourced by `operator`.

say "all stateless workers are killed, the trainer continues"
job workers
await 300 "a row of the warm-up" row "$folder" warmup
for role in simulator reward rollout; do kill_worker "$role" "$folder"; done
complete workers
equal "weights" "$expected" "$(weights "$folder")"
equal "attempt and restarts" "1 3" "$(status workers .attempt) $(status workers .restarts)"
equal "failures" "3 Killed" "$(status workers .failures.application) $(status workers .failures.last.reason)"

say "the trainer is killed: the next attempt continues from the checkpoint"
job trainer
await 300 "a step" row "$folder" training
kill_worker trainer "$folder"
complete trainer
equal "weights" "$expected" "$(weights "$folder")"
equal "attempt" 2 "$(status trainer .attempt)"
[ -s "$folder/lineage/0002.json" ] || fail "no second attempt in the lineage"

say "operator and a worker are killed, the operator restarts"
job orphan
await 300 "a row of the warm-up" row "$folder" warmup
cluster stop "$directory" operator
kill_worker rollout "$folder"
cluster start "$directory" operator
complete orphan
equal "weights" "$expected" "$(weights "$folder")"
equal "attempt and restarts" "1 1" "$(status orphan .attempt) $(status orphan .restarts)"

say "deleted pods are replaced and count as disruptions"
job deleted
await 300 "a row of the warm-up" row "$folder" warmup
kubectl delete pod -n shop -l shoprl.dev/job=deleted --wait=false >/dev/null
complete deleted
equal "weights" "$expected" "$(weights "$folder")"
equal "application failures" "" "$(status deleted .failures.application)"
