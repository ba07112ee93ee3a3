# What cannot be, and what is held up, is said in words. Sourced by `operator`.

say "what cannot be is refused with the remedy"
refused() { # WHAT SED-EXPRESSION ANSWER
    ! sed "s/^  name: smoke$/  name: refused/; $2" "$manifest" | kubectl apply -n shop -f - >/dev/null 2>"$directory/refused" ||
        fail "$1 was accepted"
    grep -q "$3" "$directory/refused" || fail "$1: $(cat "$directory/refused")"
}
refused "no task" 's/^    tasksPerStep: 4$/    tasksPerStep: 0/' "must be from 1 to"
refused "an unknown field" 's/^    steps: 3$/    stepz: 3/' 'unknown field "spec.training.stepz"'
sed 's/^  name: smoke$/  name: plain/; s/^    steps: 3$/    steps: 4/' "$manifest" | kubectl apply -n shop -f - 2>"$directory/refused" >/dev/null &&
    fail "other steps for a job that runs were accepted"
grep -q "apply the change under another name" "$directory/refused" || fail "$(cat "$directory/refused")"

say "what holds a job is said in words"
sed 's/^  name: smoke$/  name: homeless/' "$manifest" | kubectl apply -n shop -f - >/dev/null
ready() { status homeless '.conditions[?(@.type=="RolesReady")].message'; }
says() { [[ $(ready) == *"trainer-0 cannot be placed: "*"unbound immediate PersistentVolumeClaims"* ]]; }
await 60 "that the trainer waits for a volume ($(ready))" says
kubectl delete srj -n shop homeless --wait=true >/dev/null
kubectl delete pvc -n shop homeless-store >/dev/null
