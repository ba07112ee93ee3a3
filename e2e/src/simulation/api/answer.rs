//! Answers to a client.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Call, Kind};

/// An answer, and the change that the request made.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status code.
    pub code: u16,
    /// An object, a list, or a `Status`.
    pub body: Arc<Value>,
    /// The changed object.
    pub change: Option<Change>,
}

/// One object before and after.
#[derive(Debug, Clone)]
pub struct Change {
    /// Kind of the object.
    pub kind: &'static Kind,
    /// Absent before a creation.
    pub before: Option<Arc<Value>>,
    /// Absent after a deletion.
    pub after: Option<Arc<Value>>,
}

impl Answer {
    pub(super) fn ok(body: Arc<Value>) -> Self {
        Self { code: 200, body, change: None }
    }

    pub(super) fn changed(code: u16, body: Arc<Value>, change: Change) -> Self {
        Self { code, body, change: Some(change) }
    }
}

/// A `Status` with a failure.
pub fn failure(code: u16, reason: &str, message: &str, details: Value) -> Answer {
    let mut body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code,
    });
    if !details.is_null() {
        body["details"] = details;
    }
    Answer { code, body: Arc::new(body), change: None }
}

pub(super) fn details(kind: &Kind, name: &str) -> Value {
    let mut details = json!({"name": name, "kind": kind.plural});
    if !kind.group.is_empty() {
        details["group"] = kind.group.into();
    }
    details
}

pub(super) fn not_found(call: &Call) -> Answer {
    let message = format!("{} \"{}\" not found", call.kind.resource(), call.name);
    failure(404, "NotFound", &message, details(call.kind, &call.name))
}

pub(super) fn already_exists(call: &Call, name: &str, is_deleted: bool) -> Answer {
    let prefix = if is_deleted { "object is being deleted: " } else { "" };
    let message = format!("{prefix}{} \"{name}\" already exists", call.kind.resource());
    failure(409, "AlreadyExists", &message, details(call.kind, name))
}

fn conflict(kind: &Kind, name: &str, why: &str) -> Answer {
    let resource = kind.resource();
    let message = format!("Operation cannot be fulfilled on {resource} \"{name}\": {why}");
    failure(409, "Conflict", &message, details(kind, name))
}

pub(super) fn modified(call: &Call) -> Answer {
    let why = "the object has been modified; please apply your changes to the latest version and try again";
    conflict(call.kind, &call.name, why)
}

/// The answer to a write with another UID than the object's.
pub(super) fn another(call: &Call, given: &str, known: &str) -> Answer {
    let why = format!(
        "StorageError: invalid object, Code: 4, Key: /registry/{}/{}/{}, ResourceVersion: 0, \
         AdditionalErrorMsg: Precondition failed: UID in precondition: {given}, UID in object meta: {known}",
        call.kind.registry, call.namespace, call.name
    );
    conflict(call.kind, &call.name, &why)
}

/// The answer to a deletion with a failed precondition. Here the API server uses the kind, not the plural.
pub(super) fn precondition(
    call: &Call,
    what: &str,
    given: &str,
    known: &str,
    hint: &str,
) -> Answer {
    let kind = &call.kind;
    let resource = if kind.group.is_empty() {
        kind.kind.to_owned()
    } else {
        format!("{}.{}", kind.kind, kind.group)
    };
    let message = format!(
        "Operation cannot be fulfilled on {resource} \"{}\": the {what} in the precondition ({given}) does not \
         match the {what} in record ({known}). {hint}",
        call.name
    );
    let mut details = details(kind, &call.name);
    details["kind"] = kind.kind.into();
    failure(409, "Conflict", &message, details)
}

pub(super) fn invalid(call: &Call, field: &str, why: &str) -> Answer {
    let message = format!("{} \"{}\" is invalid: {field}: {why}", call.kind.resource(), call.name);
    let mut details = details(call.kind, &call.name);
    details["causes"] = json!([{"reason": "FieldValueInvalid", "message": why, "field": field}]);
    failure(422, "Invalid", &message, details)
}
