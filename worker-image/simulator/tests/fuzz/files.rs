//! Damaged stored shops: with random damage, and with valid checksums over it.

use std::error::Error as _;

use shoprl_rl::seed::Stream;
use shoprl_simulator::mall::{Mall, MallError};

use super::Outcome;

/// Length of the header of a stored shop, and the offsets of its numbers (`mall::store` describes them).
const HEADER: usize = 72;
const LENGTH: usize = 16;
const CATALOG: usize = 24;
const CONTENT: usize = 64;
const CHECKSUM: usize = 68;
/// The lengths of the 23 columns, after the catalog's 16 magic bytes.
const COLUMNS: std::ops::Range<usize> = HEADER + 16..HEADER + 16 + 8 * 23;

/// Damages a copy of `stored` and opens it. If it opens, all products are read and searched.
pub(super) fn play(stored: &[u8], stream: &mut Stream) -> Outcome {
    let mut bytes = stored.to_vec();
    damage(&mut bytes, stream);
    if stream.bernoulli(0.5) {
        seal(&mut bytes);
    }
    match Mall::from_bytes(&bytes) {
        Ok(mall) => {
            let catalog = mall.catalog();
            let facts: usize = catalog
                .products()
                .map(|it| it.title().len() + it.attributes().len() + it.options().len())
                .sum();
            assert!(facts > 0);
            mall.search("乳胶枕 护颈 ¥200", 100).unwrap();
            Outcome::Taken
        }
        Err(error) => {
            assert!(matches!(error, MallError::Stored(_)), "{error:?}");
            let cause = error.source().map(ToString::to_string).unwrap_or_default();
            assert!(!cause.is_empty(), "an error without a reason");
            Outcome::NotTaken
        }
    }
}

fn damage(bytes: &mut Vec<u8>, stream: &mut Stream) {
    let catalog = u64::from_le_bytes(bytes[CATALOG..CATALOG + 8].try_into().unwrap()) as usize;
    match stream.below(6) {
        // Bits before the index only: the index has the engine's format, which only the checksum protects.
        0 | 1 => {
            for _ in 0..1 + stream.below(8) {
                let at = stream.below((HEADER + catalog) as u64) as usize;
                bytes[at] ^= 1 << stream.below(8);
            }
        }
        2 => bytes.truncate(stream.below(bytes.len() as u64) as usize),
        3 => {
            let places = [LENGTH, CATALOG, COLUMNS.start + 8 * stream.below(23) as usize];
            let at = places[stream.below(3) as usize];
            let values = [0, 1, u64::MAX, stream.next_u64(), stream.below(catalog as u64)];
            bytes[at..at + 8].copy_from_slice(&values[stream.below(5) as usize].to_le_bytes());
        }
        4 => bytes.extend((0..1 + stream.below(64)).map(|_| stream.below(256) as u8)),
        _ => {
            // A number in some column.
            let at = COLUMNS.end + 4 * stream.below((catalog / 4 - 100) as u64) as usize;
            bytes[at..at + 4].copy_from_slice(&(stream.next_u64() as u32).to_le_bytes());
        }
    }
}

/// Makes both checksums valid again, so that only the consistency checks can refuse the file.
fn seal(bytes: &mut [u8]) {
    if bytes.len() < HEADER {
        return;
    }
    let content = crc32fast::hash(&bytes[HEADER..]);
    bytes[CONTENT..CONTENT + 4].copy_from_slice(&content.to_le_bytes());
    let header = crc32fast::hash(&bytes[..CHECKSUM]);
    bytes[CHECKSUM..CHECKSUM + 4].copy_from_slice(&header.to_le_bytes());
}
