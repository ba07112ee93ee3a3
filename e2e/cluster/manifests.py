"""Compares what an API server said about manifests and changes with what is promised. Called by `manifests`.

usage: manifests.py refusals DATA REJECTED STRICT     the answers to rejected/ and strict/
       manifests.py changes DATA WAS NOW              writes the objects of changes.json, before and after
       manifests.py changed DATA CHANGED UNCHANGED    the answers to them
"""

import json
import pathlib
import re
import sys

# What the API server says by a type or a size, in its own words, where refusals.txt has ours.
BY_THE_SCHEMA = {
    "the name occurs twice": "Duplicate value",
    "name each scenario once": "Duplicate value",
    "entries are allowed": "Too many",
    "write the name of an object": "should be at least 1 chars long",
}
# kubectl itself wants a name, and a spec is required before anything is looked at.
NOT_BY_A_RULE = {"name-missing": "resource name may not be empty", "spec-missing": "Required value"}


def fail(message):
    sys.exit(f"manifests: {message}")


def answers(text):
    """What was said about each file, by its name without folder and ending."""
    parts = re.split(r"(?m)^(?=error|Error)", text)
    said = {}
    for part in parts:
        found = re.search(r'"[^"]*?/?([^"/]+)\.yaml"', part)
        if found:
            said[found.group(1)] = part
    return said


def promised(data):
    """The refusals of refusals.txt: (field, remedy) of every mistake of a file, or None for one that cannot be read."""
    mistakes, name = {}, None
    for line in (data / "refusals.txt").read_text().splitlines():
        if not line.startswith("  "):
            name = line
            mistakes[name] = []
        elif line.startswith("  unreadable"):
            mistakes[name] = None
        else:
            field, rest = line.strip().split(": ", 1)
            mistakes[name].append((field, rest.split(" is invalid: ", 1)[1]))
    return mistakes


def refusals(data, rejected, strict):
    said = answers(pathlib.Path(rejected).read_text())
    files = sorted(path.stem for path in (data / "rejected").glob("*.yaml"))
    if sorted(said) != files:
        fail(f"rejected: no answer about {set(files) - set(said)}, or one too many: {set(said) - set(files)}")
    mistakes = promised(data)
    by_rule = 0
    for name in files:
        if name in NOT_BY_A_RULE:
            if NOT_BY_A_RULE[name] not in said[name]:
                fail(f"{name}: {said[name]}")
            continue
        # A value of a wrong type is refused by its type, one that does not fit into ours by its range.
        if mistakes[name] is None:
            if not re.search(r"must be of type|must be from|Unsupported value|unknown field|Required value", said[name]):
                fail(f"{name}: {said[name]}")
            continue
        for field, remedy in mistakes[name]:
            words = next((theirs for ours, theirs in BY_THE_SCHEMA.items() if ours in remedy), remedy)
            by_rule += words is remedy
            place = "<nil>" if field == "metadata.name" else field
            if words not in said[name] or place not in said[name]:
                fail(f"{name}: not said of {place}: {words}\n{said[name]}")
    said = answers(pathlib.Path(strict).read_text())
    files = sorted(path.stem for path in (data / "strict").glob("*.yaml"))
    if sorted(said) != files or not all("unknown field" in text for text in said.values()):
        fail(f"strict: {said}")
    print(f"   {len(mistakes)} manifests, {by_rule} mistakes in our words, {len(files)} with unknown fields")


def rows(data):
    return json.loads((data / "changes.json").read_text())


def changes(data, was, now):
    for key, path in (("was", was), ("now", now)):
        items = [
            {
                "apiVersion": "shoprl.dev/v1alpha1",
                "kind": "ShopRLJob",
                "metadata": {"name": row["change"], "namespace": "default"},
                "spec": row[key],
            }
            for row in rows(data)
        ]
        pathlib.Path(path).write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))


def changed(data, changed, unchanged):
    done = pathlib.Path(changed).read_text()
    # kubectl tells of a failed patch and then, in further lines, of which object.
    parts = re.split(r"(?m)^(?=Error from server|error)", pathlib.Path(unchanged).read_text())
    said = {}
    for part in parts:
        found = re.search(r'ShopRLJob\.shoprl\.dev "([^"]+)" is invalid', part)
        if found:
            said[found.group(1)] = part
    for row in rows(data):
        name, refused = row["change"], row.get("refused")
        if refused is None:
            if name in said or not re.search(rf"shoprljob\.shoprl\.dev/{name} (configured|unchanged)", done):
                fail(f"{name} was refused: {said.get(name, done)}")
        elif refused not in said.get(name, ""):
            fail(f"{name}: not said: {refused}\n{said.get(name, 'it was taken')}")
    print(f"   {len(rows(data))} changes, {len(said)} refused")


if __name__ == "__main__":
    command, data, *files = sys.argv[1:]
    {"refusals": refusals, "changes": changes, "changed": changed}[command](pathlib.Path(data), *files)
