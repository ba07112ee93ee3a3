# A job from apply to Complete, and afterwards. Sourced by `operator`.

say "a job under the restricted profile ends with the weights of shoprl run"
# scrape ADDRESS: reads /metrics from the network of the control plane.
scrape() { cluster exec "$directory" python3 -c 'import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode())' "http://$1/metrics"; }
job plain
await 300 "a row of the warm-up" row "$folder" warmup
trainer=$(kubectl get pod -n shop plain-trainer-0-1 -o 'jsonpath={.status.podIP}')
scrape "$trainer:7003" >"$directory/scraped"
for series in 'shoprl_trainer_target_steps 3' 'shoprl_trainer_workers{role="rollout"} 2'; do
    grep -qxF "$series" "$directory/scraped" || fail "the trainer does not export $series: $(cat "$directory/scraped")"
done
complete plain
scrape 127.0.0.1:8080 >"$directory/scraped"
for series in 'shoprl_operator_leader 1' 'shoprl_operator_jobs{phase="Complete"} 1' 'shoprl_operator_events_total{reason="Complete"} 1'; do
    grep -qxF "$series" "$directory/scraped" || fail "the operator does not export $series: $(cat "$directory/scraped")"
done
equal "weights" "$expected" "$(weights "$folder")"
equal "columns" "plain Complete 3/3" "$(kubectl get srj -n shop plain --no-headers | awk '{print $1, $2, $3}')"
equal "attempt and restarts" "1 " "$(status plain .attempt) $(status plain .restarts)"
for file in report.md report.json curve.png run.json; do [ -s "$folder/$file" ] || fail "$file is missing"; done
await 120 "the end of all pods" bash -c "! '$here/cluster' exec '$directory' kubectl get pods -n shop --no-headers | grep -E 'Running|Pending|Terminating'"

say "output of kubectl describe"
# Without parts that differ between runs: times, ids, column widths, order of events.
described() {
    kubectl describe srj -n shop plain | sed -E 's/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]+Z/TIME/; s/sha256:[0-9a-f]{64}/sha256:DIGEST/
        s/^( +(UID|Resource Version|Applied)): .*/\1: .../
        /^  (Type|----|Normal|Warning) /s/ +/ /g; s/^ (Normal|Warning) ([A-Za-z]+) [^ ]+ / \1 \2 AGE /' >"$directory/described.all"
    grep -v '^ \(Normal\|Warning\) ' "$directory/described.all"
    grep '^ \(Normal\|Warning\) ' "$directory/described.all" | sort
}
described >"$directory/described"
if [ -n "${UPDATE_EXPECT:-}" ]; then cp "$directory/described" "$here/golden/describe.txt"; fi
diff -u "$here/golden/describe.txt" "$directory/described" >&2 || fail "describe.txt: UPDATE_EXPECT=1 rewrites it"

say "a finished job is not written"
before=$(kubectl get srj -n shop plain -o 'jsonpath={.metadata.resourceVersion}')
cluster stop "$directory" operator
cluster start "$directory" operator
sleep 5
equal "its resource version after a restart of the operator" "$before" "$(kubectl get srj -n shop plain -o 'jsonpath={.metadata.resourceVersion}')"

say "two concurrent jobs with the same name in two namespaces"
kubectl create namespace mall >/dev/null
job twin
namespace=mall job twin
uids=$(kubectl get srj -A --field-selector metadata.name=twin -o 'jsonpath={.items[*].metadata.uid}')
for namespace in shop mall; do complete twin; done
namespace=shop
for uid in $uids; do
    # Each claim may be bound to either volume.
    equal "weights" "$expected" "$(weights "$(echo "$directory"/volumes/*-twin/"$uid")")"
done
