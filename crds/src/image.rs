//! Images are named by digest: what a job runs is fixed when it is accepted.

use schemars::Schema;
use serde_json::json;

use crate::limit::add_rule;

/// Advice about an image without a digest.
pub const IMAGE_REMEDY: &str = "name the image by digest, for example registry/shoprl@sha256: and 64 hexadecimal digits: a tag may become another program while the job runs";

/// Longest name of an image.
const LENGTH: usize = 512;
/// What stands between an image's name and its digest.
const ALGORITHM: &str = "@sha256:";

/// Whether `image` is named by digest.
pub fn is_digested(image: &str) -> bool {
    let hexadecimal = |c: char| matches!(c, '0'..='9' | 'a'..='f');
    let Some((name, digest)) = image.split_once(ALGORITHM) else { return false };
    let graphic = name.chars().all(|c| c.is_ascii_graphic() && c != '@');
    image.len() <= LENGTH
        && !name.is_empty()
        && graphic
        && digest.len() == 64
        && digest.chars().all(hexadecimal)
}

/// The schema's rule.
pub(crate) fn rule(schema: &mut Schema) {
    schema.insert("maxLength".into(), json!(LENGTH));
    add_rule(schema, "self.matches('^[!-?A-~]+@sha256:[0-9a-f]{64}$')", IMAGE_REMEDY);
}
