//! A parsed request.

use std::fmt;

use serde_json::Value;

use super::Kind;

/// The operation of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// GET of one object.
    Get,
    /// GET of all objects that match a selector.
    List,
    /// POST.
    Create,
    /// PUT.
    Update,
    /// PATCH as server-side apply.
    Apply,
    /// PATCH as JSON merge patch.
    Merge,
    /// DELETE of one object.
    Delete,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Call {
    /// Operation.
    pub verb: Verb,
    /// Kind of the object.
    pub kind: &'static Kind,
    /// Namespace; empty for all.
    pub namespace: String,
    /// Name; empty for lists and creations.
    pub name: String,
    /// `status`, or empty.
    pub subresource: String,
    /// Label selector of a list.
    pub selector: String,
    /// Field manager of an apply.
    pub manager: String,
    /// The object, the patch, or the options of a deletion.
    pub body: Value,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.verb, self.kind.plural)?;
        if !self.subresource.is_empty() {
            write!(f, "/{}", self.subresource)?;
        }
        Ok(())
    }
}

impl Call {
    /// Parses a request; `None` if the model does not support it.
    pub fn read(
        method: &str,
        path_and_query: &str,
        content_type: &str,
        body: &[u8],
    ) -> Option<Self> {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let mut parts = path.split('/').skip(1);
        let group = match parts.next()? {
            "api" => "",
            "apis" => parts.next()?,
            _ => return None,
        };
        let version = parts.next()?;
        let mut part = parts.next()?;
        let mut namespace = "";
        if part == "namespaces" {
            (namespace, part) = (parts.next()?, parts.next()?);
        }
        let kind = Kind::find(group, part).filter(|kind| kind.version == version)?;
        let (name, subresource) =
            (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let verb = match (method, name.is_empty()) {
            ("GET", true) => Verb::List,
            ("GET", false) => Verb::Get,
            ("POST", true) => Verb::Create,
            ("PUT", false) => Verb::Update,
            ("DELETE", false) => Verb::Delete,
            ("PATCH", false) if content_type.contains("apply-patch") => Verb::Apply,
            ("PATCH", false) if content_type.contains("merge-patch") => Verb::Merge,
            _ => return None,
        };
        let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(body).ok()? };
        Some(Self {
            verb,
            kind,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            subresource: subresource.to_owned(),
            selector: parameter(query, "labelSelector"),
            manager: parameter(query, "fieldManager"),
            body,
        })
    }

    /// Whether the request can change an object.
    pub fn is_write(&self) -> bool {
        !matches!(self.verb, Verb::Get | Verb::List)
    }
}

fn parameter(query: &str, name: &str) -> String {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let found = pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value);
    decode(found.unwrap_or_default())
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (high, low) = (digit(rest.next()), digit(rest.next()));
                let code = high.unwrap_or_default() * 16 + low.unwrap_or_default();
                u8::try_from(code).unwrap_or_default()
            }
            other => other,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{Call, Verb};

    #[test]
    fn a_request_is_parsed_from_method_and_path() {
        let check = |method: &str,
                     path: &str,
                     verb,
                     namespace: &str,
                     name: &str,
                     sub: &str,
                     selector: &str| {
            let call = Call::read(method, path, "application/merge-patch+json", b"{}").unwrap();
            let parsed = (call.verb, &*call.namespace, &*call.name, &*call.subresource);
            assert_eq!(parsed, (verb, namespace, name, sub), "{path}");
            assert_eq!(call.selector, selector, "{path}");
        };
        let jobs = "/apis/shoprl.dev/v1alpha1/namespaces/n/shoprljobs";
        check("POST", "/api/v1/namespaces/n/pods?", Verb::Create, "n", "", "", "");
        check("PUT", &format!("{jobs}/j/status?"), Verb::Update, "n", "j", "status", "");
        check("PATCH", &format!("{jobs}/j"), Verb::Merge, "n", "j", "", "");
        check("GET", "/api/v1/pods?labelSelector=a%3Db%2Cc", Verb::List, "", "", "", "a=b,c");
        assert!(Call::read("GET", "/api/v1/nowhere", "", b"").is_none());
    }
}
