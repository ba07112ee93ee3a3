# Roles on the nodes they ask for. Sourced by `operator`.

say "what no node has is said in words, here and offline"
roles='roles: {trainer: {nodeSelector: {pool: gpu}, resources: {limits: {nvidia.com/gpu: 1}}}, rollout: {nodeSelector: {kubernetes.io/hostname: node2}}}'
job placed "\$a\\  $roles"
placed() { status placed '.conditions[?(@.type=="Placed")].message'; }
wants() { [[ $(placed) == *"trainer needs nvidia.com/gpu 1 on pool=gpu; no such node"* ]]; }
await 60 "why the job waits ($(placed))" wants
kubectl get nodes -o yaml >"$directory/nodes.yaml"
sed "\$a\\  $roles" "$manifest" >"$directory/placed.yaml"
"$binary" plan "$directory/placed.yaml" --nodes "$directory/nodes.yaml" >"$directory/plan" || true
grep -q "trainer needs nvidia.com/gpu 1 on pool=gpu; no such node" "$directory/plan" || fail "$(cat "$directory/plan")"

say "the node comes, and every role is where it shall be"
node=$(cluster add-node "$directory" pool=gpu)
kubectl patch node "$node" --subresource=status --type=merge \
    -p '{"status":{"capacity":{"nvidia.com/gpu":"1"},"allocatable":{"nvidia.com/gpu":"1"}}}' >/dev/null
complete placed
equal "weights" "$expected" "$(weights "$folder")"
on() { kubectl get pod -n shop "$1" -o 'jsonpath={.spec.nodeName}'; }
equal "the trainer's node" "$node" "$(on placed-trainer-0-1)"
equal "the rollouts' node" "node2 node2" "$(on placed-rollout-0-1) $(on placed-rollout-1-1)"
