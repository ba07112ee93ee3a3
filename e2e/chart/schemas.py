"""Validates all objects in the files against the schemas of all supported versions of Kubernetes: schemas.py FILE..."""

import sys

import kubernetes_validate
import yaml

VERSIONS = ["1.31", "1.32", "1.33", "1.34", "1.35", "1.36", "1.37"]
# Kinds of the Prometheus operator, without a schema in Kubernetes.
OTHERS = {"ServiceMonitor", "PodMonitor", "PrometheusRule"}

faults = []
checked = 0
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        objects = [it for it in yaml.safe_load_all(file) if it and it["kind"] not in OTHERS]
    for version in VERSIONS:
        for it in objects:
            checked += 1
            try:
                used = kubernetes_validate.validate(it, version, strict=True)
                if used != version:
                    faults.append(f"there is no schema of {version}, only of {used}")
            except kubernetes_validate.ValidationError as error:
                where = ".".join(str(part) for part in error.path)
                faults.append(f"{path} {version} {it['kind']} {it['metadata']['name']}: {where}: {error.message}")
print(f"{checked} objects against the schemas of {', '.join(VERSIONS)}")
sys.exit("\n".join(faults) if faults or not checked else None)
