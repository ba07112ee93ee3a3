//! Images are named by digest, so that a job runs the same image for its whole life.

use schemars::Schema;
use serde_json::json;

use crate::limit::add_rule;

/// Remedy for an image without a digest.
pub const IMAGE_REMEDY: &str = "name the image by digest: registry/shoprl@sha256: followed by 64 lowercase hexadecimal digits. A tag may point to another image while the job runs";

/// Longest image reference, in characters.
const MAX_LENGTH: usize = 512;
/// Separates the image's name from its digest.
const DIGEST_SEPARATOR: &str = "@sha256:";

/// Whether `image` is named by digest.
pub fn is_digested(image: &str) -> bool {
    let hexadecimal = |c: char| matches!(c, '0'..='9' | 'a'..='f');
    let Some((name, digest)) = image.split_once(DIGEST_SEPARATOR) else { return false };
    let graphic = name.chars().all(|c| c.is_ascii_graphic() && c != '@');
    image.len() <= MAX_LENGTH
        && !name.is_empty()
        && graphic
        && digest.len() == 64
        && digest.chars().all(hexadecimal)
}

/// Adds the CEL rule for an image to a schema.
pub(crate) fn rule(schema: &mut Schema) {
    schema.insert("maxLength".into(), json!(MAX_LENGTH));
    add_rule(schema, "self.matches('^[!-?A-~]+@sha256:[0-9a-f]{64}$')", IMAGE_REMEDY);
}
