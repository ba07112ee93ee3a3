//! The table of values in the chart's README is generated from the chart's values and their schema.

use std::fmt::Write as _;

use expect_test::expect_file;
use serde_json::Value;

const BEGIN: &str = "<!-- values: generated from values.schema.json and values.yaml -->\n";
const END: &str = "<!-- end of values -->\n";

/// A file of the chart, which is no part of this crate.
fn read(name: &str) -> String {
    let path = format!("{}/../charts/shoprl/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_charts_readme_lists_every_value() {
    let schema: Value =
        serde_json::from_str(&read("values.schema.json")).expect("the schema is JSON");
    let values: serde_yaml::Value =
        serde_yaml::from_str(&read("values.yaml")).expect("the values are YAML");
    let mut table = "| value | type | default | description |\n|---|---|---|---|\n".to_owned();
    write_rows(&mut table, "", &schema, &schema, &values);
    let document = read("README.md");
    let (before, rest) = document.split_once(BEGIN).expect("the README has the table's begin");
    let (_, after) = rest.split_once(END).expect("the README has the table's end");
    expect_file!["../../../charts/shoprl/README.md"]
        .assert_eq(&format!("{before}{BEGIN}{table}{END}{after}"));
}

/// Writes one row per leaf, in the order of values.yaml.
fn write_rows(
    table: &mut String,
    path: &str,
    root: &Value,
    schema: &Value,
    value: &serde_yaml::Value,
) {
    let members = value.as_mapping().filter(|_| schema["properties"].is_object());
    if let Some(members) = members {
        for (name, member) in members {
            let name = name.as_str().expect("names of values are text");
            let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            write_rows(table, &path, root, &schema["properties"][name], member);
        }
        return;
    }
    let description = schema["description"]
        .as_str()
        .unwrap_or_else(|| panic!("{path} has no description in values.schema.json"));
    let default = serde_json::to_string(value).expect("values are plain data");
    writeln!(table, "| `{path}` | {} | `{default}` | {description} |", kind(root, schema))
        .expect("text grows");
}

/// The type of a value: choices, or a JSON type with its range.
fn kind(root: &Value, schema: &Value) -> String {
    if let Some(choices) = schema["enum"].as_array() {
        let choices: Vec<&str> = choices.iter().filter_map(Value::as_str).collect();
        return choices.join(", ");
    }
    if let Some(definition) = schema["$ref"].as_str().and_then(|it| it.strip_prefix('#')) {
        return kind(root, root.pointer(definition).expect("the definition exists"));
    }
    let name = schema["type"].as_str().unwrap_or("any");
    match (schema["minimum"].as_i64(), schema["maximum"].as_i64()) {
        (Some(minimum), Some(maximum)) => format!("{name}, {minimum} to {maximum}"),
        _ => name.to_owned(),
    }
}
