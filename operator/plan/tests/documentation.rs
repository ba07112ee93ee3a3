//! The table of fields in docs/concepts/manifest.md comes from the schema.
//! `UPDATE_EXPECT=1 cargo test --release -p shoprl-plan` rewrites it.

use std::fmt::Write as _;

use expect_test::expect_file;
use serde_json::Value;
use shoprl_crds::schema;
use shoprl_plan::may_change;

const BEGIN: &str = "<!-- fields: generated from the schema -->\n";
const END: &str = "<!-- end of fields -->\n";

#[test]
fn the_documented_fields_are_those_of_the_schema() {
    let mut table =
        "| field | default | values | what it is | may change |\n|---|---|---|---|---|\n"
            .to_owned();
    write_rows(&mut table, "spec", &schema()["properties"]["spec"], &Value::Null);
    let document = include_str!("../../../docs/concepts/manifest.md");
    let (before, rest) = document.split_once(BEGIN).expect("the document has the table's begin");
    let (_, after) = rest.split_once(END).expect("the document has the table's end");
    expect_file!["../../../docs/concepts/manifest.md"]
        .assert_eq(&format!("{before}{BEGIN}{table}{END}{after}"));
}

/// One row per leaf, in the schema's order. A union's member has no default of its own: `inherited` is the union's.
fn write_rows(table: &mut String, path: &str, node: &Value, inherited: &Value) {
    let default = node.get("default").unwrap_or(inherited);
    if let Some(properties) = node["properties"].as_object() {
        for (name, child) in properties {
            write_rows(table, &format!("{path}.{name}"), child, &default[name.as_str()]);
        }
        return;
    }
    let field = path.trim_start_matches("spec.");
    let default = default.to_string().replace('"', "").replace(',', ", ");
    let description = node["description"].as_str().unwrap_or_default().replace('\n', " ");
    let change = if may_change(path) { "yes" } else { "" };
    let values = values(node);
    writeln!(table, "| `{field}` | `{default}` | {values} | {description} | {change} |")
        .expect("text grows");
}

/// What may be written: names, or a range as the rule's message says it.
fn values(node: &Value) -> String {
    let names = |choices: &Value| {
        let choices = choices.as_array()?;
        Some(choices.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "))
    };
    let range = || {
        let message = node["x-kubernetes-validations"][0]["message"].as_str()?;
        let range = message.strip_prefix("must be from ")?.split(':').next()?;
        Some(range.replace("9223372036854775807", "2^63 - 1"))
    };
    names(&node["enum"])
        .or_else(|| names(&node["items"]["enum"]))
        .or_else(range)
        .unwrap_or_default()
}
