# Removes a cluster in any state: everything outside of its folder is found by the cluster's name. Sourced by `cluster`.

tear_down() {
    local place leftover
    for place in "$state"/processes/*/; do
        [ -e "$place" ] || continue
        # SIGKILL, because after SIGTERM the API server drains its connections for a minute.
        end_process "$(basename "$place")" KILL
    done
    if [ -e "$(tracking)" ]; then end_cgroup "$(tracking)"; fi
    if [ "$(id -u)" = 0 ]; then remove_traces; fi
    # Deletes only a marked folder, and nothing on other file systems.
    if [ -e "$state/.shoprl-cluster" ]; then rm -rf --one-file-system "$state"; fi
    leftover=$(awk -v at="$state/" 'index($5, at) == 1 {print $5}' /proc/self/mountinfo)
    [ -z "$leftover" ] || fail "still mounted: $leftover"
}

# Removes mounts, network namespaces, cgroups and files outside of the cluster's folder.
remove_traces() {
    local mount space place root
    remove_shim_sockets "$state"
    awk -v at="$state/" 'index($5, at) == 1 {print $5}' /proc/self/mountinfo | sort -r | while read -r mount; do
        umount "$mount" 2>/dev/null || umount -l "$mount"
    done
    for space in /run/netns/"$name" /run/netns/"$name"-*; do
        [ ! -e "$space" ] || ip netns delete "$(basename "$space")"
    done
    { grep -lsF "$state/" /var/lib/cni/results/* || true; } | xargs -r rm -f
    [ ! -d /var/log/containers ] || find /var/log/containers -lname "$state/*" -delete
    # Fixed paths, which another cluster may use.
    [ -n "$(pgrep --runstates D,R,S -x kubelet)" ] || rm -f /var/lib/kubelet/device-plugins/kubelet.sock
    for place in /var/log/containers /var/lib/kubelet/device-plugins /var/lib/kubelet /run/containerd/s /run/containerd \
        /var/lib/cni/results /var/lib/cni; do
        [ ! -d "$place" ] || rmdir --ignore-fail-on-non-empty "$place"
    done
    for root in $(hierarchies); do
        [ ! -e "$root/$name" ] || find "$root/$name" -depth -type d -exec rmdir {} +
    done
}

# containerd's shims listen in a fixed folder, and leave their sockets when killed.
remove_shim_sockets() { # FOLDER of one node or of all
    [ -d "$1" ] || return 0
    find "$1" -path '*/io.containerd.runtime.v2.task/*' -name address -exec cat {} + 2>/dev/null |
        { grep -o '/run/containerd/s/[0-9a-f]*' || true; } | xargs -r rm -f
}
