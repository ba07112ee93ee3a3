# The processes of a cluster. Each has a folder processes/NAME: `command` starts it, `id` has its process id and start time
# (ids are reused), `log` has its output. Sourced by `cluster`.

# Marks DIR as a cluster's folder, which may be deleted.
claim_state() {
    [ ! -e "$state" ] || [ -z "$(ls -A "$state")" ] || fail "$state is not empty; remove a cluster there with: cluster down $state"
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
        # The process writes its id before exec, so that a crash of the caller leaves no unrecorded process.
        # shellcheck disable=SC2016
        printf 'read -r stat < /proc/$$/stat; set -- ${stat##*) }; echo "$$ ${20}" > %q/id\n' "$place"
        printf 'exec'
        # nsenter, because `ip netns exec` remounts /sys and hides the hierarchies of cgroup v1.
        [ -z "$namespace" ] || printf ' nsenter --net=/run/netns/%q --' "$namespace"
        printf ' %q' "$@"
        printf '\n'
    } >"$place/command"
}

begin_process() { # NAME
    local place=$state/processes/$1
    [ -e "$place/command" ] || fail "$1: no such process; existing: $(ls "$state/processes" 2>/dev/null | xargs)"
    ! alive "$1" || fail "$1 is already running"
    rm -f "$place/id"
    # No inherited descriptor stays open, or a reader of our output through a pipe would never see its end.
    setsid bash "$place/command" </dev/null >>"$place/log" 2>&1 9>&- &
    until [ -s "$place/id" ]; do sleep 0.02; done
}

run_process() { define_process "$@" && begin_process "$1"; }

# identify NAME: sets `id`; fails if that process has ended.
identify() {
    local started stat
    id=''
    read -r id started 2>/dev/null <"$state/processes/$1/id" || return 1
    read -r stat 2>/dev/null <"/proc/$id/stat" || return 1
    # shellcheck disable=SC2086 # the fields after the name, which may contain anything
    set -- ${stat##*) }
    [ "${20}" = "$started" ] && [ "$1" != Z ]
}

alive() { local id; identify "$1"; }

end_process() { # NAME [SIGNAL]
    local id try
    [ -e "$state/processes/$1" ] || fail "$1: no such process; existing: $(ls "$state/processes" 2>/dev/null | xargs)"
    identify "$1" || return 0
    kill -s "${2:-KILL}" "$id"
    for try in $(seq 600); do
        alive "$1" || return 0
        sleep 0.1
    done
    fail "$1 (process $id) is still alive after a minute"
}

# await NAME SECONDS COMMAND...: waits until the command succeeds; fails if process NAME ends or after SECONDS.
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
