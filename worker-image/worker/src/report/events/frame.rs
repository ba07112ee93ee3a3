//! TFRecord: length, checksum of the length, data, checksum of the data.

/// Appends one record.
pub(super) fn append(file: &mut Vec<u8>, data: &[u8]) {
    let length = (data.len() as u64).to_le_bytes();
    file.extend(length);
    file.extend(masked_crc(&length).to_le_bytes());
    file.extend(data);
    file.extend(masked_crc(data).to_le_bytes());
}

/// The data of each record, or the first error with its byte position.
#[cfg(test)]
pub(in super::super) fn records(file: &[u8]) -> Result<Vec<&[u8]>, String> {
    let mut records = Vec::new();
    let mut rest = file;
    while !rest.is_empty() {
        let at = file.len() - rest.len();
        let mut take = |n: usize| {
            let (taken, left) = rest.split_at_checked(n).ok_or(format!("torn at byte {at}"))?;
            rest = left;
            Ok::<_, String>(taken)
        };
        let checked = |data: &[u8], crc: &[u8]| {
            let equal = masked_crc(data).to_le_bytes() == crc;
            equal.then_some(()).ok_or(format!("wrong checksum at byte {at}"))
        };
        let length = take(8)?;
        checked(length, take(4)?)?;
        let length = u64::from_le_bytes(length.try_into().expect("eight bytes were taken"));
        let data = take(length as usize)?;
        checked(data, take(4)?)?;
        records.push(data);
    }
    Ok(records)
}

/// TFRecord masks checksums, because a CRC over data that contains CRCs is weak.
fn masked_crc(data: &[u8]) -> u32 {
    crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// CRC-32C (Castagnoli; RFC 3720 appendix B.4), reflected, bit by bit: a report is small.
fn crc32c(data: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0x82f6_3b78;
    let mut crc = u32::MAX;
    for &byte in data {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            let low_bit = crc & 1;
            crc = (crc >> 1) ^ (POLYNOMIAL * low_bit);
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc32c_gives_the_published_values() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        // RFC 3720 B.4.
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
    }

    #[test]
    fn a_record_round_trips_and_damage_is_detected() {
        let mut file = Vec::new();
        for data in [&b"one"[..], b"", b"three"] {
            append(&mut file, data);
        }
        assert_eq!(records(&file).unwrap(), [&b"one"[..], b"", b"three"]);
        for at in 0..file.len() {
            let mut damaged = file.clone();
            damaged[at] ^= 1;
            assert!(records(&damaged).is_err(), "byte {at}");
            assert!(records(&file[..at]).is_err() || [0, 19, 35].contains(&at), "cut at {at}");
        }
    }
}
