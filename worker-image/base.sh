# The root file system under the images where no registry is reachable: a few packages of this machine's Debian release.
# Its glibc is the one that the programs were linked to. Sourced by `build` and by e2e/cluster.
# shellcheck shell=bash

# Sets `base` to an archive in the folder `cache_root`. Needs `packages` (installs Debian packages), `say` and root.
worker_base() {
    local release packages=base-files,libc6,libc-bin,libgcc-s1,netbase mirror=http://deb.debian.org/debian key
    release=$(. /etc/os-release && echo "$VERSION_CODENAME")
    key=$(echo "$packages $(dpkg-query -W -f '${Version}' libc6)" | cat - <(declare -f worker_base) | sha256sum | cut -c1-16)
    base=$cache_root/base-$release-$key.tar
    [ ! -e "$base" ] || return 0
    packages mmdebstrap
    say "making the base of the images from Debian $release"
    mkdir -p "$cache_root"
    # shellcheck disable=SC2016 # $1 is the hook's
    SOURCE_DATE_EPOCH=0 mmdebstrap --quiet --variant=extract --format=tar --mode=root --include="$packages" \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --extract-hook='echo "shoprl:x:65532:65532::/nonexistent:/usr/sbin/nologin" >"$1/etc/passwd"' \
        --extract-hook='echo "shoprl:x:65532:" >"$1/etc/group"' \
        --extract-hook='echo "hosts: files dns" >"$1/etc/nsswitch.conf"' \
        "$release" "$base.$$" \
        "deb $mirror $release main" "deb $mirror $release-updates main" "deb $mirror-security $release-security main" >&2
    mv "$base.$$" "$base"
}
