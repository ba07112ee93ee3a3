//! JSON documents that carry the SHA-256 of their own content, so that a flipped bit in a number is
//! told from a number.

use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

/// A document with a field for its own digest.
pub(super) trait Sealed: Serialize + DeserializeOwned {
    /// The field; it is empty while the digest is taken.
    fn seal(&mut self) -> &mut String;
}

/// Seals the document; returns it as it stands in its file.
pub(super) fn to_bytes<T: Sealed>(document: &mut T) -> Vec<u8> {
    let digest = digest(document);
    *document.seal() = digest;
    let mut bytes = serde_json::to_vec_pretty(document)
        .expect("a document of strings, numbers and lists is always JSON");
    bytes.push(b'\n');
    bytes
}

/// The document in `bytes`, or what is wrong with them.
pub(super) fn from_bytes<T: Sealed>(bytes: &[u8]) -> Result<T, String> {
    let mut document: T =
        serde_json::from_slice(bytes).map_err(|error| format!("is not readable: {error}"))?;
    let stated = std::mem::take(document.seal());
    let actual = digest(&mut document);
    if stated != actual {
        return Err(format!("states the digest {stated}, its content has {actual}"));
    }
    *document.seal() = stated;
    Ok(document)
}

/// SHA-256 (hex) of `bytes`.
pub(super) fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

fn digest<T: Sealed>(document: &mut T) -> String {
    document.seal().clear();
    let compact = serde_json::to_vec(document)
        .expect("a document of strings, numbers and lists is always JSON");
    sha256(&compact)
}
