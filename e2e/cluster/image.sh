# Images: the pause of pods, the worker and the operator, built by buildah without a registry. Sourced by `cluster`, and by
# worker-image/cuda/build for the base and for buildah.

# buildah's storage is in the cluster's folder and is removed with it.
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

# shellcheck source=../../worker-image/base.sh
source "$here/../../worker-image/base.sh" # worker_base

# Made by the command that users run. DIR/images/PROGRAM.yaml is its values file for helm.
image() { # BINARY TAG
    local program archive node size folder=$state/images/new
    program=$(basename "$1")
    archive=$state/images/$program=$2.tar
    [ -x "$1" ] || fail "$1: no program; cargo build --release --workspace makes it"
    rm -rf "$folder"
    "$here/../../worker-image/build" --tool buildah --storage "$state/buildah" --base packages --tag "$2" --program "$1" \
        --output "$folder" >/dev/null
    worker_base
    size=$(($(stat -c %s "$base") + $(stat -c %s "$1")))
    [ $size -lt 100000000 ] || fail "on a node the image of $program takes $size bytes; the limit is 100 MB"
    mv "$folder/$program.tar" "$archive"
    mv "$folder/values.yaml" "$state/images/$program.yaml"
    rmdir "$folder"
    for node in "$state"/node*/; do
        node=$(basename "$node")
        import_image "${node#node}" "$archive"
    done
    sed -n 's/^  [a-z]*: //p' "$state/images/$program.yaml"
}

manifest_digest() { tar -xOf "$1" index.json | grep -o 'sha256:[0-9a-f]*'; } # OCI ARCHIVE

# Pods may name the image by its tag or, as after a pull from a registry, by its digest.
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

# A PersistentVolume. It is visible on all nodes, which share the machine. hostPath ignores fsGroup, so the owner is set here.
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
