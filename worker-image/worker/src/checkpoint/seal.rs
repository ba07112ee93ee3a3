//! JSON documents with the SHA-256 of their own content, so that a flipped bit is detected even if the document still parses.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

/// A document with a field for its own digest.
pub(super) trait Sealed: Serialize + DeserializeOwned {
    /// The digest's field; it is empty while the digest is computed.
    fn seal(&mut self) -> &mut String;
}

/// Sets the document's digest; returns the bytes of its file.
pub(super) fn to_bytes<T: Sealed>(document: &mut T) -> Vec<u8> {
    let digest = digest(document);
    *document.seal() = digest;
    let mut bytes =
        serde_json::to_vec_pretty(document).expect("strings, numbers and lists always serialize");
    bytes.push(b'\n');
    bytes
}

/// The document in `bytes`, or why they are not a valid document.
pub(super) fn from_bytes<T: Sealed>(bytes: &[u8]) -> Result<T, String> {
    let mut document: T =
        serde_json::from_slice(bytes).map_err(|error| format!("is not readable: {error}"))?;
    let stated = std::mem::take(document.seal());
    let actual = digest(&mut document);
    if stated != actual {
        return Err(format!("records the digest {stated}, but its content has {actual}"));
    }
    *document.seal() = stated;
    Ok(document)
}

/// SHA-256 (hex) of `bytes`.
pub(super) fn sha256(bytes: &[u8]) -> String {
    base16ct::lower::encode_string(&Sha256::digest(bytes))
}

fn digest<T: Sealed>(document: &mut T) -> String {
    document.seal().clear();
    let compact =
        serde_json::to_vec(document).expect("strings, numbers and lists always serialize");
    sha256(&compact)
}
