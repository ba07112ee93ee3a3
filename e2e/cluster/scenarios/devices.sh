# Placement on nodes with devices, surroundings of the pods, and deletion after the TTL. Sourced by `operator`.

say "a job for a missing device is explained, placed when a node gets one, and deleted after its TTL"
volume=$(cluster volume "$directory" shop-devices)
placed() { status devices '.conditions[?(@.type=="Placed")].message'; }
sed 's/^  name: smoke$/  name: devices/' "$manifest" >"$directory/devices.yaml"
cat >>"$directory/devices.yaml" <<'YAML'
  ttlSecondsAfterFinished: 20
  roles:
    rollout: {replicas: 3, labels: {team: shop}}
    trainer:
      nodeSelector: {pool: gpu}
      tolerations: [{key: gpu, operator: Exists}]
      resources: {limits: {nvidia.com/gpu: 1, cpu: 2}}
YAML
kubectl apply -n shop -f "$directory/devices.yaml" >/dev/null
says() { [ "$(placed)" = "trainer needs nvidia.com/gpu 1 on pool=gpu; no such node" ]; }
await 60 "the reason why it is not placed ($(placed))" says
kubectl label node node3 pool=gpu >/dev/null
kubectl taint node node3 gpu=true:NoSchedule >/dev/null
says() { [ "$(placed)" = "trainer needs nvidia.com/gpu 1 on pool=gpu; 1 node of pool=gpu has less nvidia.com/gpu (at most 0)" ]; }
await 60 "the missing device of the node ($(placed))" says
kubectl get nodes -o yaml >"$directory/nodes.yaml"
"$binary" plan "$directory/devices.yaml" --nodes "$directory/nodes.yaml" | grep -q "cannot be placed: $(placed)" || fail "shoprl plan prints another reason"
kubectl patch node node3 --subresource=status --type=merge \
    -p '{"status":{"capacity":{"nvidia.com/gpu":"1"},"allocatable":{"nvidia.com/gpu":"1"}}}' >/dev/null
await 120 "a node for each pod ($(placed))" kubectl wait -n shop srj/devices --for condition=Placed --timeout 1s
equal "the trainer's threads" 2 "$(kubectl get pod -n shop devices-trainer-0-1 -o 'jsonpath={.spec.containers[0].args}' |
    python3 -c 'import json, sys; args = json.load(sys.stdin); print(args[args.index("--threads") + 1])')"
equal "the trainer's node" node3 "$(kubectl get pod -n shop devices-trainer-0-1 -o 'jsonpath={.spec.nodeName}')"
equal "the trainer's node in the status" '["node3"]' "$(status devices '.roles[?(@.name=="trainer")].nodes')"
equal "labels" 3 "$(kubectl get pods -n shop -l shoprl.dev/job=devices,team=shop --no-headers | wc -l)"
budget() { kubectl get pdb -n shop -l shoprl.dev/job=devices -o "jsonpath={.items[*].spec.minAvailable}"; }
equal "minAvailable of the rollouts" 2 "$(budget)"
kubectl scale -n shop srj/devices --replicas 1 >/dev/null
one_may_go() { [ "$(budget)" = 0 ]; }
await 60 "minAvailable 0 for a single rollout" one_may_go
equal "network policies" 1 "$(kubectl get networkpolicy -n shop -l shoprl.dev/job=devices -o name | wc -l)"
complete devices
equal "weights" "$expected" "$(weights "$volume/$(kubectl get srj -n shop devices -o 'jsonpath={.metadata.uid}')")"
kubectl wait -n shop srj/devices --for delete --timeout 120s >/dev/null
equal "remaining objects" "persistentvolumeclaim/devices-store" "$(kubectl get pvc -n shop -l shoprl.dev/job=devices -o name)"
kubectl taint node node3 gpu- >/dev/null
