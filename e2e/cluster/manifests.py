"""Compares the answers of an API server about manifests and changes with the expected ones. Called by `manifests`.

usage: manifests.py refusals DATA REJECTED STRICT     the answers to rejected/ and strict/
       manifests.py changes DATA WAS NOW              writes the objects of changes.json, before and after
       manifests.py changed DATA CHANGED UNCHANGED    the answers to them
"""

import json
import pathlib
import re
import sys

# Texts of the API server for violations of a type or size, for which refusals.txt has the operator's texts.
BY_THE_SCHEMA = {
    "the name occurs twice": "Duplicate value",
    "name each scenario once": "Duplicate value",
    "entries are allowed": "Too many",
    "write the name of an object": "should be at least 1 chars long",
}
# kubectl requires a name itself, and a missing spec is refused before any rule.
NOT_BY_A_RULE = {"name-missing": "resource name may not be empty", "spec-missing": "Required value"}


def fail(message):
    sys.exit(f"manifests: {message}")


def answers(text):
    """The answer about each file, by its name without folder and extension."""
    parts = re.split(r"(?m)^(?=error|Error)", text)
    answer = {}
    for part in parts:
        found = re.search(r'"[^"]*?/?([^"/]+)\.yaml"', part)
        if found:
            answer[found.group(1)] = part
    return answer


def expected(data):
    """The refusals of refusals.txt: (field, remedy) of each mistake of a file, or None for an unreadable file."""
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
    answer = answers(pathlib.Path(rejected).read_text())
    files = sorted(path.stem for path in (data / "rejected").glob("*.yaml"))
    if sorted(answer) != files:
        fail(f"rejected: no answer about {set(files) - set(answer)}; unexpected answers about {set(answer) - set(files)}")
    mistakes = expected(data)
    by_rule = 0
    for name in files:
        if name in NOT_BY_A_RULE:
            if NOT_BY_A_RULE[name] not in answer[name]:
                fail(f"{name}: {answer[name]}")
            continue
        # A value of a wrong type is refused by its type, a number outside of the Rust type by its range.
        if mistakes[name] is None:
            if not re.search(r"must be of type|must be from|Unsupported value|unknown field|Required value", answer[name]):
                fail(f"{name}: {answer[name]}")
            continue
        for field, remedy in mistakes[name]:
            words = next((theirs for ours, theirs in BY_THE_SCHEMA.items() if ours in remedy), remedy)
            by_rule += words is remedy
            place = "<nil>" if field == "metadata.name" else field
            if words not in answer[name] or place not in answer[name]:
                fail(f"{name}: no answer about {place} with: {words}\n{answer[name]}")
    answer = answers(pathlib.Path(strict).read_text())
    files = sorted(path.stem for path in (data / "strict").glob("*.yaml"))
    if sorted(answer) != files or not all("unknown field" in text for text in answer.values()):
        fail(f"strict: {answer}")
    print(f"   {len(mistakes)} manifests, {by_rule} mistakes with the operator's texts, {len(files)} with unknown fields")


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
    # kubectl prints a failed patch and names the object in the following lines.
    parts = re.split(r"(?m)^(?=Error from server|error)", pathlib.Path(unchanged).read_text())
    answer = {}
    for part in parts:
        found = re.search(r'ShopRLJob\.shoprl\.dev "([^"]+)" is invalid', part)
        if found:
            answer[found.group(1)] = part
    for row in rows(data):
        name, refused = row["change"], row.get("refused")
        if refused is None:
            if name in answer or not re.search(rf"shoprljob\.shoprl\.dev/{name} (configured|unchanged)", done):
                fail(f"{name} was refused: {answer.get(name, done)}")
        elif refused not in answer.get(name, ""):
            fail(f"{name}: no answer with: {refused}\n{answer.get(name, 'it was accepted')}")
    print(f"   {len(rows(data))} changes, {len(answer)} refused")


if __name__ == "__main__":
    command, data, *files = sys.argv[1:]
    {"refusals": refusals, "changes": changes, "changed": changed}[command](pathlib.Path(data), *files)
