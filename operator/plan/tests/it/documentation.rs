//! The table of fields in docs/concepts/manifest.md is generated from the schema.
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
        "| field | default | values | description | may change |\n|---|---|---|---|---|\n"
            .to_owned();
    write_rows(&mut table, "spec", &schema()["properties"]["spec"], &Value::Null);
    let document = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/concepts/manifest.md"
    ))
    .expect("docs/concepts/manifest.md can be read");
    let (before, rest) = document.split_once(BEGIN).expect("the document has the table's begin");
    let (_, after) = rest.split_once(END).expect("the document has the table's end");
    expect_file!["../../../../docs/concepts/manifest.md"]
        .assert_eq(&format!("{before}{BEGIN}{table}{END}{after}"));
}

/// One row per leaf, in the schema's order. `inherited` is the default of a union for its members, which have none.
fn write_rows(table: &mut String, path: &str, node: &Value, inherited: &Value) {
    let default = node.get("default").unwrap_or(inherited);
    // Fields that all roles have are listed once.
    let shared = path.strip_prefix("spec.roles.").and_then(|rest| rest.split_once('.'));
    let path = match shared {
        Some((role, field)) if !field.starts_with("replicas") => {
            if !["trainer", "ROLE"].contains(&role) {
                return;
            }
            &format!("spec.roles.ROLE.{field}")
        }
        _ => path,
    };
    if let Some(properties) = node["properties"].as_object().filter(|it| are_described(it)) {
        for (name, child) in properties {
            write_rows(table, &format!("{path}.{name}"), child, &default[name.as_str()]);
        }
        return;
    }
    let field = path.trim_start_matches("spec.");
    let default = if default.is_null() { String::new() } else { default.to_string() };
    let default = default.replace('"', "").replace(',', ", ");
    let description = node["description"].as_str().unwrap_or_default().replace('\n', " ");
    let change = if may_change(path) { "yes" } else { "" };
    let values = values(node);
    let default = if default.is_empty() { default } else { format!("`{default}`") };
    writeln!(table, "| `{field}` | {default} | {values} | {description} | {change} |")
        .expect("text grows");
}

/// Whether all properties have descriptions. Kubernetes' own types are not expanded: some of theirs have none.
fn are_described(properties: &serde_json::Map<String, Value>) -> bool {
    properties.values().all(|it| it["description"].is_string())
}

/// The possible values: names, or the range in the rule's message.
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
    let kind = || match (node["type"].as_str()?, node.get("additionalProperties")) {
        ("object", Some(amount)) if amount.get("type").is_none() => Some("amounts by resource"),
        ("object", Some(_)) => Some("text by name"),
        ("array", _) => Some("a list"),
        _ => None,
    };
    names(&node["enum"])
        .or_else(|| names(&node["items"]["enum"]))
        .or_else(range)
        .or_else(|| kind().map(str::to_owned))
        .unwrap_or_default()
}
