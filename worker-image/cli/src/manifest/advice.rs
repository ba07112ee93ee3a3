//! Corrections for mistakes in a manifest, derived from the CRD's schema.

use serde_json::Value;

/// Largest edit distance of a misspelt name from the correct one, as a share of its length.
const MAX_DISTANCE: f64 = 0.34;
/// Fields of metadata that are suggested. Kubernetes has more.
const METADATA: [&str; 4] = ["name", "namespace", "labels", "annotations"];

/// The steps of a path like `spec.environment.scenarios[1]`.
pub(super) fn steps(path: &str) -> impl Iterator<Item = &str> {
    path.split(['.', '[', ']']).filter(|step| !step.is_empty())
}

/// Advice about a field that does not exist.
pub(super) fn unknown_field(schema: &Value, path: &str) -> String {
    let all: Vec<_> = steps(path).collect();
    let (field, parents) =
        all.split_last().map_or(("", &[][..]), |(field, parents)| (*field, parents));
    let known = known_fields(schema, parents);
    if let Some(similar) = nearest(field, known.iter().map(String::as_str)) {
        return format!("did you mean {similar}?");
    }
    if let Some(place) = elsewhere(schema, field, "") {
        // The schema repeats these fields for every role.
        let of_a_role = place.starts_with("spec.roles.") && place.matches('.').count() == 3;
        return if of_a_role {
            format!("this field belongs to a role, for example {place}")
        } else {
            format!("this field belongs at {place}")
        };
    }
    if known.is_empty() {
        "remove it".to_owned()
    } else {
        format!("valid fields here: {}", known.join(", "))
    }
}

/// Advice about a value of a wrong type; `None` for a path outside of the schema.
pub(super) fn expected(schema: &Value, path: &str) -> Option<String> {
    let all: Vec<_> = steps(path).collect();
    let field = all.iter().rev().find(|step| step.parse::<usize>().is_err())?;
    let node = node(schema, &all)?;
    if let Some(choices) = choices(node) {
        return Some(match choices[..] {
            [only] => format!("write {only}"),
            _ => format!("write one of {}", choices.join(", ")),
        });
    }
    let example = match &node["default"] {
        Value::Null => String::new(),
        default @ (Value::Object(_) | Value::Array(_)) if default.to_string().len() > 70 => {
            String::new()
        }
        default => format!(", for example {field}: {default}"),
    };
    let range = node["x-kubernetes-validations"][0]["message"].as_str();
    let range = range.map(|range| format!("; it {range}")).unwrap_or_default();
    match node["type"].as_str()? {
        "integer" => Some(format!("write a whole number{example}{range}")),
        "number" => Some(format!("write a number{example}{range}")),
        "boolean" => Some(format!("write true or false{example}")),
        "object" if node.get("additionalProperties").is_some() => {
            Some(format!("write names and values below it, or {field}: {{}} for none"))
        }
        "object" => Some(format!("write fields below it, or {field}: {{}} for all defaults")),
        "array" => Some(format!("write a list{example}")),
        "string" => {
            Some("write a string, in quotes if it looks like a number or a boolean".to_owned())
        }
        _ => None,
    }
}

/// The choice that is most similar to a misspelt one, as a question.
pub(super) fn nearest_choice(schema: &Value, path: &str, found: &str) -> Option<String> {
    let choices = choices(node(schema, &steps(path).collect::<Vec<_>>())?)?;
    nearest(found, choices.into_iter()).map(|similar| format!("did you mean {similar}? "))
}

fn choices(node: &Value) -> Option<Vec<&str>> {
    Some(node["enum"].as_array()?.iter().filter_map(Value::as_str).collect())
}

fn node<'a>(schema: &'a Value, steps: &[&str]) -> Option<&'a Value> {
    steps.iter().try_fold(schema, |node, step| match step.parse::<usize>() {
        Ok(_) => node.get("items"),
        Err(_) => {
            let field = node.get("properties").and_then(|fields| fields.get(step));
            field.or_else(|| node.get("additionalProperties"))
        }
    })
}

fn known_fields(schema: &Value, parents: &[&str]) -> Vec<String> {
    match parents {
        [] => ["apiVersion", "kind", "metadata", "spec"].map(str::to_owned).to_vec(),
        ["metadata"] => METADATA.map(str::to_owned).to_vec(),
        _ => {
            let properties = node(schema, parents).and_then(|node| node["properties"].as_object());
            properties.map(|properties| properties.keys().cloned().collect()).unwrap_or_default()
        }
    }
}

/// The known word that is most similar to `word`.
fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.replace(['_', '-'], "").to_lowercase();
    let distance = |candidate: &str| strsim::damerau_levenshtein(&plain(word), &plain(candidate));
    let near = |candidate: &&str| {
        distance(candidate) as f64 <= MAX_DISTANCE * candidate.chars().count() as f64
    };
    known.filter(near).min_by_key(|candidate| distance(candidate))
}

/// The path of a field with exactly this name.
fn elsewhere(schema: &Value, field: &str, at: &str) -> Option<String> {
    let properties = schema["properties"].as_object()?;
    let below = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
    if properties.contains_key(field) && !at.is_empty() {
        return Some(below(field));
    }
    properties.iter().find_map(|(name, node)| elsewhere(node, field, &below(name)))
}
