# The processes of a cluster. Each has a folder processes/NAME: `command` starts it, `id` is its process id and the
# time it started (an id alone may have passed to a stranger), `log` what it said. Sourced by `cluster`.

# Makes DIR ours: the mark says that it may be deleted.
claim_state() {
    [ ! -e "$state" ] || [ -z "$(ls -A "$state")" ] || fail "$state is not empty; cluster down $state removes a cluster there"
    mkdir -p "$state/processes" "$state/images"
    touch "$state/.shoprl-cluster"
    ln -s "$programs" "$state/programs"
}

# define_process NAME NAMESPACE CGROUP COMMAND...; NAMESPACE and CGROUP may be empty.
define_process() {
    local place=$state/processes/$1 namespace=$2 cgroup=$3
    shift 3
    mkdir -p "$place"
    {
        echo '#!/usr/bin/env bash'
        [ -z "$cgroup" ] || printf 'echo $$ > %q/cgroup.procs\n' "$(tracking)/$cgroup"
        # It writes its own id before it becomes the program: no crash of the caller leaves a process unrecorded.
        # shellcheck disable=SC2016
        printf 'read -r stat < /proc/$$/stat; set -- ${stat##*) }; echo "$$ ${20}" > %q/id\n' "$place"
        printf 'exec'
        # nsenter, never `ip netns exec`: that one mounts /sys anew and hides the hierarchies of cgroup v1.
        [ -z "$namespace" ] || printf ' nsenter --net=/run/netns/%q --' "$namespace"
        printf ' %q' "$@"
        printf '\n'
    } >"$place/command"
}

begin_process() { # NAME
    local place=$state/processes/$1
    [ -e "$place/command" ] || fail "$1: no such process; there are: $(ls "$state/processes" 2>/dev/null | xargs)"
    ! alive "$1" || fail "$1 runs already"
    rm -f "$place/id"
    # Nothing of the caller stays open in it, or who reads our output through a pipe would wait for ever.
    setsid bash "$place/command" </dev/null >>"$place/log" 2>&1 9>&- &
    until [ -s "$place/id" ]; do sleep 0.02; done
}

run_process() { define_process "$@" && begin_process "$1"; }

# identify NAME: sets `id`; fails when that very process is gone.
identify() {
    local started stat
    id=''
    read -r id started 2>/dev/null <"$state/processes/$1/id" || return 1
    read -r stat 2>/dev/null <"/proc/$id/stat" || return 1
    # shellcheck disable=SC2086 # the fields after the name, which may hold anything
    set -- ${stat##*) }
    [ "${20}" = "$started" ] && [ "$1" != Z ]
}

alive() { local id; identify "$1"; }

end_process() { # NAME [SIGNAL]
    local id try
    [ -e "$state/processes/$1" ] || fail "$1: no such process; there are: $(ls "$state/processes" 2>/dev/null | xargs)"
    identify "$1" || return 0
    kill -s "${2:-KILL}" "$id"
    for try in $(seq 600); do
        alive "$1" || return 0
        sleep 0.1
    done
    fail "$1 (process $id) still lives after a minute"
}

# await NAME SECONDS COMMAND...: until the command succeeds; as long as process NAME lives.
await() {
    local process=$1 end=$((SECONDS + $2))
    shift 2
    until "$@" >/dev/null 2>&1; do
        if ! alive "$process" || [ $SECONDS -ge $end ]; then
            say "cluster: $process is not ready; the end of $state/processes/$process/log:"
            tail -n 20 "$state/processes/$process/log" >&2
            exit 1
        fi
        sleep 0.1
    done
}
