# Images: the pod's pause, the worker and the operator, built by buildah without a registry. Sourced by `cluster`, and by
# worker-image/cuda/build for the base and for buildah.

# Its storage lies in the cluster's folder and goes with it.
bud() { # ARGUMENT...
    buildah --root "$state/buildah" --runroot "$state/buildah/run" --storage-driver vfs "$@"
}

pause_image() {
    if [ ! -e "$programs/pause.tar" ]; then
        printf 'FROM scratch\nCOPY pause /pause\nUSER 65534:65534\nENTRYPOINT ["/pause"]\n' |
            bud build -q --isolation chroot --timestamp 0 -t localhost/pause:1 -f - "$programs" >/dev/null
        bud push -q localhost/pause:1 "docker-archive:$programs/pause.$$:localhost/pause:1"
        mv "$programs/pause.$$" "$programs/pause.tar"
    fi
    ln "$programs/pause.tar" "$state/images/pause.tar" 2>/dev/null || cp "$programs/pause.tar" "$state/images/"
}

# The root file system under both programs: this machine's Debian release, thus the glibc that the binary was linked to,
# and so the same bits from its mathematics.
worker_base() {
    local release packages=base-files,libc6,libc-bin,libgcc-s1,netbase mirror=http://deb.debian.org/debian key
    release=$(. /etc/os-release && echo "$VERSION_CODENAME")
    key=$(echo "$packages $(dpkg-query -W -f '${Version}' libc6)" | cat - <(declare -f worker_base) | sha256sum | cut -c1-16)
    base=$cache_root/base-$release-$key.tar
    [ ! -e "$base" ] || return 0
    packages mmdebstrap
    say "making the base of the worker image from Debian $release"
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

# The Containerfile of a program lies with its sources.
image() { # BINARY TAG
    local program containerfile reference context=$state/context archive base node
    program=$(basename "$1")
    case $program in
    shoprl) containerfile=$here/../../worker-image/Containerfile ;;
    shoprl-operator) containerfile=$here/../../operator/Containerfile ;;
    *) fail "$1: images are made of shoprl and shoprl-operator" ;;
    esac
    [ -x "$1" ] || fail "$1: no program; cargo build --release --workspace makes it"
    reference=localhost/$program:$2 archive=$state/images/$program=$2.tar
    worker_base
    # What a node keeps of it.
    local size=$(($(stat -c %s "$base") + $(stat -c %s "$1")))
    [ $size -lt 100000000 ] || fail "the image of $1 would have $size bytes; less than 100 MB are promised"
    rm -rf "$context" && mkdir -p "$context"
    cp "$base" "$context/base.tar"
    printf 'FROM scratch\nADD base.tar /\n' |
        bud build -q --isolation chroot --timestamp 0 -t localhost/shoprl-base -f - "$context" >/dev/null
    rm "$context/base.tar"
    install -m 755 "$1" "$context/$program"
    bud build -q --isolation chroot --timestamp 0 --build-arg BASE=localhost/shoprl-base -t "$reference" \
        -f "$containerfile" "$context" >/dev/null
    rm -f "$archive"
    bud push -q "$reference" "oci-archive:$archive:$reference"
    rm -rf "$context"
    for node in "$state"/node*/; do
        node=$(basename "$node")
        import_image "${node#node}" "$archive"
    done
    echo "localhost/$program@$(manifest_digest "$archive")"
}

manifest_digest() { tar -xOf "$1" index.json | grep -o 'sha256:[0-9a-f]*'; } # OCI ARCHIVE

# Pods may name the image by tag or, as after a pull from a registry, by digest.
import_image() { # NODE'S NUMBER, ARCHIVE
    local images=(ctr --address "$state/node$1/containerd.sock" --namespace k8s.io images)
    "${images[@]}" import --all-platforms=false "$2" >/dev/null
    local image
    image=$(basename "$2" .tar) # PROGRAM=TAG
    case $image in
    *=*) "${images[@]}" tag --force "localhost/${image%%=*}:${image#*=}" "localhost/${image%%=*}@$(manifest_digest "$2")" >/dev/null ;;
    esac
}

import_images() { # NODE'S NUMBER
    local archive
    for archive in "$state"/images/*.tar; do import_image "$1" "$archive"; done
}

# Storage for a claim. All nodes see it, as they share the machine; hostPath ignores fsGroup, so the owner is set here.
volume() { # NAME
    mkdir -p "$state/volumes/$1"
    chown 65532:65532 "$state/volumes/$1"
    chmod 750 "$state/volumes/$1"
    enter kubectl apply -f - >/dev/null <<YAML
apiVersion: v1
kind: PersistentVolume
metadata: {name: $1}
spec:
  capacity: {storage: 100Gi}
  accessModes: [ReadWriteOnce, ReadWriteMany]
  persistentVolumeReclaimPolicy: Retain
  storageClassName: ""
  hostPath: {path: $state/volumes/$1, type: Directory}
YAML
    echo "$state/volumes/$1"
}
