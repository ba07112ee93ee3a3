//! From text to a validated manifest.

use serde::Deserialize;
use serde_yaml::Value;
use shoprl_crds::{GROUP, KIND, ShopRLJob, VERSION};
use shoprl_plan::validate;

use super::{Manifest, advice};
use crate::yaml;

/// Parses and validates. The error lists all mistakes that can be found together.
pub(super) fn parse(text: &str) -> Result<Manifest, Vec<String>> {
    let document = single_document(text).map_err(|mistake| vec![mistake])?;
    check_kind(&document).map_err(|mistake| vec![mistake])?;
    let mut mistakes = Vec::new();
    let job = typed(&document, &mut mistakes);
    let Some(job) = job else { return Err(mistakes) };
    let name = job.metadata.name.as_deref().unwrap_or_default();
    match validate(&job.spec, name) {
        Ok(validated) if mistakes.is_empty() => Ok(Manifest { job, validated }),
        Ok(_) => Err(mistakes),
        Err(invalid) => {
            mistakes.extend(invalid.iter().map(ToString::to_string));
            Err(mistakes)
        }
    }
}

fn single_document(text: &str) -> Result<Value, String> {
    yaml::check(text)?;
    let mut documents = Vec::new();
    for document in serde_yaml::Deserializer::from_str(text) {
        let value = Value::deserialize(document).map_err(|error| format!("not YAML: {error}"))?;
        // A trailing `---` opens an empty document.
        if value != Value::Null {
            documents.push(value);
        }
    }
    match documents.len() {
        0 => Err("empty; write a ShopRLJob".to_owned()),
        1 => Ok(documents.remove(0)),
        n => Err(format!("{n} documents; use a file with one ShopRLJob")),
    }
}

fn check_kind(document: &Value) -> Result<(), String> {
    if !document.is_mapping() {
        return Err("no fields; write apiVersion, kind, metadata and spec".to_owned());
    }
    for (field, expected) in
        [("apiVersion", format!("{GROUP}/{VERSION}")), ("kind", KIND.to_owned())]
    {
        match document.get(field) {
            Some(found) if found.as_str() == Some(&expected) => {}
            Some(found) => {
                return Err(format!("{field}: {} is invalid: write {expected}", shown(found)));
            }
            None => return Err(format!("{field}: missing: write {field}: {expected}")),
        }
    }
    // An empty value elsewhere means the defaults, but the API server refuses an empty spec.
    match document.get("spec") {
        Some(Value::Null) | None => {
            Err("spec: missing: write spec: {} for all defaults".to_owned())
        }
        Some(_) => Ok(()),
    }
}

/// Deserializes the job and adds unknown fields and values of a wrong type to `mistakes`. `None` after a wrong type.
fn typed(document: &Value, mistakes: &mut Vec<String>) -> Option<ShopRLJob> {
    let mut schema = shoprl_crds::schema();
    // Users do not write the status, so advice never names its fields.
    if let Some(fields) = schema["properties"].as_object_mut() {
        fields.remove("status");
    }
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(document, &mut track);
    let mut unknown = |path: serde_ignored::Path<'_>| {
        // The path has a question mark for each optional member.
        let path = path.to_string().replace(".?", "");
        // Checked by check_kind; the type does not have them.
        if path == "apiVersion" || path == "kind" {
            return;
        }
        mistakes.push(format!("{path}: no such field: {}", advice::unknown_field(&schema, &path)));
    };
    match serde_ignored::deserialize(tracked, &mut unknown) {
        Ok(job) => Some(job),
        Err(error) => {
            let path = track.path().to_string().replace(".?", "");
            mistakes.push(wrong_type(&schema, document, &path, &error));
            None
        }
    }
}

fn wrong_type(
    schema: &serde_json::Value,
    document: &Value,
    path: &str,
    error: &serde_yaml::Error,
) -> String {
    let place = if path == "." { "the manifest" } else { path };
    match (find(document, path), advice::expected(schema, path)) {
        (Some(found), Some(expected)) => {
            let hint = found.as_str().and_then(|found| advice::nearest_choice(schema, path, found));
            format!("{place}: {} is invalid: {}{expected}", shown(found), hint.unwrap_or_default())
        }
        _ => format!("{place}: {error}"),
    }
}

/// The value at a path like `spec.environment.scenarios[1]`.
fn find<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    advice::steps(path).try_fold(document, |value, step| match step.parse::<usize>() {
        Ok(index) if value.is_sequence() => value.get(index),
        _ => value.get(step),
    })
}

/// A value on one line, truncated to 60 characters.
fn shown(value: &Value) -> String {
    const MAX_CHARS: usize = 60;
    let text = match value {
        Value::Null => return "nothing".to_owned(),
        other => serde_json::to_string(other).unwrap_or_else(|_| "the value".to_owned()),
    };
    if text.chars().count() <= MAX_CHARS {
        text
    } else {
        text.chars().take(MAX_CHARS).chain("…".chars()).collect()
    }
}
