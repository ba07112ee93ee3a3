# A job from apply to Complete, and at rest. Sourced by `operator`.

say "a job under the restricted profile ends with the weights of shoprl run"
job plain
complete plain
equal "weights" "$expected" "$(weights "$folder")"
equal "printed" "plain Complete 3/3" "$(kubectl get srj -n shop plain --no-headers | awk '{print $1, $2, $3}')"
equal "attempt and restarts" "1 " "$(status plain .attempt) $(status plain .restarts)"
for file in report.md report.json curve.png run.json; do [ -s "$folder/$file" ] || fail "$file is missing"; done
await 120 "the end of all pods" bash -c "! '$here/cluster' exec '$directory' kubectl get pods -n shop --no-headers | grep -E 'Running|Pending|Terminating'"

say "a job at rest is not written"
sleep 5 # until the end of the last pod is told
before=$(kubectl get srj -n shop plain -o 'jsonpath={.metadata.resourceVersion}')
cluster stop "$directory" operator
cluster start "$directory" operator
sleep 5
equal "its version, after the operator was born again" "$before" "$(kubectl get srj -n shop plain -o 'jsonpath={.metadata.resourceVersion}')"

say "two jobs of one name in two namespaces at once"
kubectl create namespace mall >/dev/null
job twin
namespace=mall job twin
uids=$(kubectl get srj -A --field-selector metadata.name=twin -o 'jsonpath={.items[*].metadata.uid}')
for namespace in shop mall; do complete twin; done
namespace=shop
for uid in $uids; do
    # Either claim may have got either volume.
    equal "weights" "$expected" "$(weights "$(echo "$directory"/volumes/*-twin/"$uid")")"
done
